"""Media: routable and not routable."""

import pytest
from kit.agent import Agent
from kit.configuration import Configuration
from kit.documents import media
from kit.pages import ARM_ERRORS, CHANGE_STATE, PARAMETER_TYPES, ROUTABLE
from kit.statements import choice, statement

ROUTABLE_ON, ROUTABLE_OFF = media(routable="true"), media(routable="false")
ALREADY = "E_ARM_STAT_ALREADY_IN_REQUESTED_AGENT_MODE"


@statement("routable false makes the agent not routable, and keeps the state", ROUTABLE)
@pytest.mark.parametrize("state", ["NOT_READY", "READY"])
def test_not_routable(agent: Agent, state: str) -> None:
    agent.is_fresh()
    agent.is_in(state)
    since = agent.get_media().text("stateChangeTime")
    agent.change(ROUTABLE_OFF, routable="false", state=state, stateChangeTime=since)


@statement("routable true makes the agent routable again", ROUTABLE)
def test_routable(agent: Agent) -> None:
    agent.is_fresh()
    agent.change(ROUTABLE_OFF, routable="false")
    agent.change(ROUTABLE_ON, routable="true")


@choice(
    f"The mode that there is already ends in the error {ALREADY}, Agent already in requested "
    "mode, with the printed number 1",
    ROUTABLE,
    ARM_ERRORS,
)
@pytest.mark.parametrize("routable", [True, False])
def test_already(agent: Agent, events: None, routable: bool) -> None:
    agent.is_fresh()
    if not routable:
        agent.change(ROUTABLE_OFF, routable="false")
    update = agent.fails(media(routable=routable)).refuses(1, ALREADY, media=agent.mrd)
    update.error().has(errorType="Agent already in requested mode")


@choice("Changing the mode while signed out ends in error 6", ROUTABLE, CHANGE_STATE)
def test_signed_out(agent: Agent, events: None) -> None:
    agent.is_in("LOGOUT")
    agent.fails(ROUTABLE_ON).refuses(6, "E_ARM_STAT_AGENT_NOT_LOGGED_IN", media=agent.mrd)


@statement("A mode that is no boolean is refused with 400", ROUTABLE)
@pytest.mark.parametrize("value", ["yes", "1", "0", "READY", "true false"])
def test_invalid(agent: Agent, value: str) -> None:
    agent.put_media(media(routable=value)).error(400)


@choice("That, and a state and a mode in one request, is Invalid Input about routable", ROUTABLE)
def test_type_of_invalid(agent: Agent) -> None:
    for body in (media(routable="yes"), media("READY", routable="true")):
        agent.put_media(body).refuses(400, "Invalid Input", data="routable", media=agent.mrd)


@choice("The boolean may be written in any case, as True", PARAMETER_TYPES)
@pytest.mark.parametrize("value", ["False", "FALSE"])
def test_case(agent: Agent, value: str) -> None:
    agent.is_fresh()
    agent.change(media(routable=value), routable="false")


@choice("A reason with a mode is refused", ROUTABLE)
def test_reason(agent: Agent, configuration: Configuration) -> None:
    body = media(routable="false", reasonCodeId=configuration["not_ready"])
    agent.put_media(body).refuses(
        400, "Invalid Input", data="finesse.api.reasoncode.not_allowed", media=agent.mrd
    )


@choice("NOT_READY leaves the mode as it is", ROUTABLE)
def test_not_ready_keeps_the_mode(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("READY")
    shown = agent.get_media()
    if shown.text("routable") == "true":
        agent.change(ROUTABLE_OFF, routable="false")
    agent.change(agent.body("NOT_READY"), state="NOT_READY", routable="false")
