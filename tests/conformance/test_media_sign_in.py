"""Media: signing in, and not being signed in."""

from typing import Any

import pytest
from kit.agent import Agent
from kit.configuration import Configuration
from kit.documents import sign_in
from kit.pages import (
    ARM_ERRORS,
    CHANGE_STATE,
    FAILURES,
    MEDIA_NOTIFICATION,
    MEDIA_PARAMETERS,
    SEED,
    SIGN_IN,
    STATES,
)
from kit.statements import choice, statement


@statement("Signing in places the agent in NOT_READY, routable", SIGN_IN, STATES)
def test_sign_in(agent: Agent) -> None:
    agent.is_in("LOGOUT")
    agent.change(sign_in(), state="NOT_READY", routable="true")


@statement("After signing in reasonCodeId is -1", MEDIA_PARAMETERS)
def test_no_reason_after_sign_in(agent: Agent) -> None:
    agent.is_fresh().has(reasonCodeId=-1)


@choice("One sign-in is one notification, NOT_READY, without LOGIN before it", MEDIA_NOTIFICATION)
def test_one_notification(agent: Agent, events: None) -> None:
    agent.is_in("LOGOUT")
    agent.put_media(sign_in()).accepted()
    agent.told().whole("Media").has(state="NOT_READY")
    agent.is_told_nothing_before()


@statement("maxDialogLimit, interruptAction and dialogLogoutAction are set at sign-in", SIGN_IN)
def test_options(agent: Agent) -> None:
    options: dict[str, Any] = {
        "maxDialogLimit": 3,
        "interruptAction": "ACCEPT",
        "dialogLogoutAction": "TRANSFER",
    }
    agent.is_fresh(**options).has(**options)
    agent.get_media().has(**options)


@statement("dialogLogoutAction is CLOSE unless it is given", SIGN_IN)
def test_default_logout_action(agent: Agent) -> None:
    agent.is_fresh(dialogLogoutAction=None).has(dialogLogoutAction="CLOSE")


@statement("maxDialogLimit may be 1 and may be 10", MEDIA_PARAMETERS)
@pytest.mark.parametrize("limit", [1, 10])
def test_bounds_of_limit(agent: Agent, limit: int) -> None:
    agent.is_fresh(maxDialogLimit=limit).has(maxDialogLimit=limit)


@statement("maxDialogLimit is a whole number from 1 to 10, all else is 400", MEDIA_PARAMETERS)
@pytest.mark.parametrize("limit", ["0", "11", "-1", "1.5", "five", "1000000000000"])
def test_invalid_limit(agent: Agent, limit: str) -> None:
    agent.put_media(sign_in(maxDialogLimit=limit)).error(400)


@statement("Signing in without maxDialogLimit or interruptAction is Parameter Missing", SIGN_IN)
@pytest.mark.parametrize("name", ["maxDialogLimit", "interruptAction"])
def test_option_missing(agent: Agent, name: str) -> None:
    agent.put_media(sign_in(**{name: None})).refuses(400, "Parameter Missing")


@choice(
    "An invalid option is Invalid Input, and ErrorData names what is invalid or missing", SIGN_IN
)
def test_data_of_invalid_option(agent: Agent) -> None:
    for name in ("maxDialogLimit", "interruptAction", "dialogLogoutAction"):
        answer = agent.put_media(sign_in(**{name: "NEVER"}))
        answer.refuses(400, "Invalid Input", data=name, media=agent.mrd)
    for name in ("maxDialogLimit", "interruptAction"):
        answer = agent.put_media(sign_in(**{name: None}))
        answer.refuses(400, "Parameter Missing", data=name, media=agent.mrd)


@statement(
    "interruptAction is ACCEPT or IGNORE, dialogLogoutAction CLOSE or TRANSFER, all else is 400",
    MEDIA_PARAMETERS,
)
@pytest.mark.parametrize(
    ("name", "values"),
    [("interruptAction", ("ACCEPT", "IGNORE")), ("dialogLogoutAction", ("CLOSE", "TRANSFER"))],
)
def test_actions(agent: Agent, name: str, values: tuple[str, str]) -> None:
    agent.put_media(sign_in(**{name: "KEEP"})).error(400)
    for value in values:
        agent.is_fresh(**{name: value}).has(**{name: value})


@choice(
    "Signing in twice ends in error 1, E_ARM_STAT_AGENT_ALREADY_LOGGED_IN, "
    "Agent already logged into MRD",
    SIGN_IN,
    SEED,
)
def test_twice(agent: Agent, events: None) -> None:
    agent.is_in("NOT_READY")
    update = agent.fails(sign_in())
    update.refuses(1, "E_ARM_STAT_AGENT_ALREADY_LOGGED_IN", media=agent.mrd)
    update.error().has(errorType="Agent already logged into MRD")


@statement("Signing in twice leaves the state as it is", FAILURES)
def test_twice_keeps_the_state(agent: Agent) -> None:
    agent.is_in("READY")
    before = agent.get_media()
    limit = "7" if before.text("maxDialogLimit") != "7" else "6"
    renews_options(agent, maxDialogLimit=limit)
    agent.get_media().has(
        state="READY",
        stateChangeTime=before.text("stateChangeTime"),
        routable=before.text("routable"),
    )


@statement("Signing in twice renews the three options", FAILURES)
def test_twice_renews_the_options(agent: Agent) -> None:
    agent.is_fresh(maxDialogLimit=2, interruptAction="IGNORE", dialogLogoutAction="CLOSE")
    renews_options(
        agent, maxDialogLimit="9", interruptAction="ACCEPT", dialogLogoutAction="TRANSFER"
    )


def renews_options(agent: Agent, **options: Any) -> None:
    body = sign_in(**options)
    if agent.configuration.events:
        agent.fails(body).refuses(1, "E_ARM_STAT_AGENT_ALREADY_LOGGED_IN")
        agent.get_media().has(**options)
    else:
        agent.change(body, **options)


@choice(
    "Signing in to an MRD of which one is no member ends in error 27, "
    "E_ARM_STAT_LOGIN_NOT_ALLOWED_FOR_APP_PATH",
    ARM_ERRORS,
)
def test_no_member(agent: Agent, configuration: Configuration, events: None) -> None:
    mrd = configuration["foreign_mrd"]
    agent.fails(sign_in(), mrd).refuses(27, "E_ARM_STAT_LOGIN_NOT_ALLOWED_FOR_APP_PATH", media=mrd)


@choice(
    "Signing in to the voice MRD ends in error 11, E_ARM_STAT_CANT_LOGIN_TO_VOICE_MRD", ARM_ERRORS
)
def test_voice(agent: Agent, configuration: Configuration, events: None) -> None:
    mrd = configuration["voice_mrd"]
    agent.fails(sign_in(), mrd).refuses(11, "E_ARM_STAT_CANT_LOGIN_TO_VOICE_MRD", media=mrd)


@choice(
    "Requests of an agent who is not signed in end in error 6, E_ARM_STAT_AGENT_NOT_LOGGED_IN, "
    "Agent is not logged in",
    CHANGE_STATE,
    ARM_ERRORS,
)
@pytest.mark.parametrize("state", ["READY", "NOT_READY", "LOGOUT"])
def test_not_signed_in(agent: Agent, events: None, state: str) -> None:
    agent.is_in("LOGOUT")
    update = agent.fails(agent.body(state))
    update.refuses(6, "E_ARM_STAT_AGENT_NOT_LOGGED_IN", media=agent.mrd)
    update.error().has(errorType="Agent is not logged in")
    agent.get_media().has(state="LOGOUT")


@statement("Each MRD has a sign-in of its own", SIGN_IN, MEDIA_PARAMETERS)
def test_mrds_are_independent(agent: Agent, configuration: Configuration) -> None:
    second = configuration["second_mrd"]
    agent.is_in("LOGOUT", second)
    agent.is_fresh()
    agent.get_media(second).has(state="LOGOUT")
