"""Media: states and reasons."""

import pytest
from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.documents import media
from kit.pages import (
    CAPTURE,
    CHANGE_STATE,
    MEDIA_ERRORS,
    MEDIA_PARAMETERS,
    REASON_CODE_PARAMETERS,
    REASON_NOT_ALLOWED,
    REASON_REQUIRED,
    ROUTABLE,
    SEED,
    STATES,
    USER_REASON_CODE,
    WORK,
    guide,
)
from kit.statements import choice, statement


@statement("A request that passes validation is answered 202 with an empty body", SEED)
def test_accepted(agent: Agent) -> None:
    agent.is_in("READY")
    agent.put_media(agent.body("READY")).accepted().is_empty()


@statement("NOT_READY with the id of a reason leads to NOT_READY with that reasonCodeId", SEED)
def test_not_ready(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("READY")
    reason = configuration["not_ready"]
    agent.change(agent.body("NOT_READY", reason), state="NOT_READY", reasonCodeId=reason)
    agent.get_media().has(state="NOT_READY", reasonCodeId=reason)


@statement(
    "The Media then shows the reason in <ReasonCode>: category, code, forAll, id, label and uri",
    MEDIA_PARAMETERS,
)
def test_embedded_reason(agent: Agent, configuration: Configuration) -> None:
    reason = configuration["not_ready"]
    agent.is_in("NOT_READY", reason=reason)
    shown = agent.get_media().child("ReasonCode")
    names = ("category", "code", "forAll", "id", "label", "uri")
    shown.has_in_order(*names, or_also=["systemCode"])
    shown.has(category="NOT_READY", id=reason, uri=f"/finesse/api/ReasonCode/{reason}")


@statement("reasonCodeId is the database id of a reason, not its code", SEED)
def test_id_not_code(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("NOT_READY", reason=configuration["not_ready"])
    code = agent.get_media().child("ReasonCode").text("code")
    listed = agent.get(f"{agent.path}/ReasonCodes?category=NOT_READY")
    if listed.status != 200 or f"<id>{code}</id>" in listed.text:
        pytest.skip("the code of NOT_READY is the id of another reason, or ids are not listed")
    agent.put_media(agent.body("NOT_READY", code)).is_(400)


@statement(
    "NOT_READY and LOGOUT without a reason are refused where reasons are configured for them",
    SEED,
    REASON_REQUIRED,
)
@pytest.mark.parametrize("state", ["NOT_READY", "LOGOUT"])
def test_reason_required(agent: Agent, configuration: Configuration, state: str) -> None:
    assert configuration[state.lower()]
    agent.is_in("READY")
    agent.put_media(media(state)).refuses(
        400,
        "Parameter Missing",
        message="The state change requires a valid reason code.",
        data="finesse.api.reasoncode.require_reasoncode",
        media=agent.mrd,
    )


@statement("READY with a reason is refused", REASON_NOT_ALLOWED, SEED)
def test_reason_not_allowed(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("NOT_READY")
    body = media("READY", reasonCodeId=configuration["not_ready"])
    agent.put_media(body).refuses(
        400,
        "Invalid Input",
        message="For this operation, Reason Codes are not allowed.",
        data="finesse.api.reasoncode.not_allowed",
        media=agent.mrd,
    )


def refuses_reason(agent: Agent, state: str, reason: str) -> None:
    agent.is_in("READY")
    agent.put_media(media(state, reasonCodeId=reason)).refuses(
        400,
        "Invalid Input",
        message="The Reason Code specified in the request does not exist",
        data="finesse.api.reasoncode.not_valid",
        media=agent.mrd,
    )


@statement("A reason that does not exist is 400 Invalid Input", CAPTURE)
def test_unknown_reason(agent: Agent) -> None:
    refuses_reason(agent, "NOT_READY", "2147483646")


@choice("A reason that is no number, or of the other category, is 400 Invalid Input", SEED)
def test_unfit_reason(agent: Agent, configuration: Configuration) -> None:
    for reason in ("abc", "1.5", configuration["logout"]):
        refuses_reason(agent, "NOT_READY", reason)
    refuses_reason(agent, "LOGOUT", configuration["not_ready"])


@choice("A reason of another team only is 400 Invalid Input", SEED, USER_REASON_CODE)
def test_reason_of_other_team(agent: Agent, configuration: Configuration) -> None:
    refuses_reason(agent, "NOT_READY", configuration["foreign_not_ready"])


@choice("A reason that is reserved by the system is 400 Invalid Input", REASON_CODE_PARAMETERS)
def test_reason_of_system(agent: Agent, admin: Caller, configuration: Configuration) -> None:
    assert configuration["not_ready"]
    listed = admin.get("ReasonCodes?category=NOT_READY").document("ReasonCodes")
    of_system = [one for one in listed.every("ReasonCode") if one.matches(systemCode=True)]
    if not of_system:
        listed.fail("a reason code with systemCode true", "none")
    refuses_reason(agent, "NOT_READY", of_system[0].text("id"))


@choice("A <reasonCodeId> that is empty, 0 or -1 is as none", SEED)
def test_empty_reason(agent: Agent) -> None:
    for none in ("", "0", "-1"):
        agent.is_in("NOT_READY")
        agent.change(media("READY", reasonCodeId=none), state="READY")


@choice("Another reason while NOT_READY is taken and told", CHANGE_STATE)
def test_another_reason(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("NOT_READY", reason=configuration["not_ready"])
    second = configuration["second_not_ready"]
    shown = agent.change(agent.body("NOT_READY", second), state="NOT_READY", reasonCodeId=second)
    shown.child("ReasonCode").has(id=second)


@choice("The same reason again is ignored, and nobody is told", CHANGE_STATE)
def test_same_reason(agent: Agent, configuration: Configuration, events: None) -> None:
    reason = configuration["not_ready"]
    agent.is_in("NOT_READY", reason=reason)
    agent.put_media(agent.body("NOT_READY", reason)).accepted()
    agent.is_told_nothing_before()


@statement("READY leads from NOT_READY to READY, and makes the agent routable", STATES, ROUTABLE)
def test_ready(agent: Agent) -> None:
    agent.is_fresh()
    agent.change(media(routable="false"), routable="false")
    agent.change(media("READY"), state="READY", routable="true")


@statement("READY while READY is ignored, and no notification is sent", CHANGE_STATE)
def test_ready_again(agent: Agent, events: None) -> None:
    agent.is_in("READY")
    agent.put_media(agent.body("READY")).accepted()
    agent.is_told_nothing_before()


@choice("Without a reason, reasonCodeId is -1 and there is no <ReasonCode>", MEDIA_PARAMETERS)
def test_no_reason_while_ready(agent: Agent) -> None:
    agent.is_in("NOT_READY")
    agent.change(agent.body("READY"), reasonCodeId=-1).lacks("ReasonCode")


@statement("LOGOUT with a reason signs out, from NOT_READY and from READY", SEED, CHANGE_STATE)
@pytest.mark.parametrize("state", ["NOT_READY", "READY"])
def test_logout(agent: Agent, state: str) -> None:
    agent.is_in(state)
    agent.change(agent.body("LOGOUT"), state="LOGOUT")


@statement("reasonCodeId is -1 after signing out", MEDIA_PARAMETERS)
def test_no_reason_after_logout(agent: Agent) -> None:
    # With a reason, or the Media before the LOGOUT would look like the one after it.
    agent.is_in("READY")
    agent.change(agent.body("NOT_READY"), state="NOT_READY")
    agent.change(agent.body("LOGOUT"), state="LOGOUT", reasonCodeId=-1)


@choice("The three options are not shown after signing out", MEDIA_PARAMETERS)
def test_no_options_after_logout(agent: Agent) -> None:
    agent.is_in("LOGOUT")
    agent.get_media().lacks("maxDialogLimit", "interruptAction", "dialogLogoutAction")


@statement("A body without a state is Parameter Missing", guide(51), SEED)
def test_state_missing(agent: Agent) -> None:
    for body in ("<Media/>", "<Media><reasonCodeId>1</reasonCodeId></Media>", media("")):
        agent.put_media(body).refuses(
            400, "Parameter Missing", message="State Parameter missing", data="state"
        )


@statement("A state that does not exist is Invalid Input", guide(33), MEDIA_ERRORS)
def test_state_invalid(agent: Agent) -> None:
    agent.put_media(media("AWAY")).refuses(
        400, "Invalid Input", message="Invalid State specified for user", data="state"
    )


@statement("States that tasks and failures lead to cannot be requested", STATES)
@pytest.mark.parametrize(
    "state", ["RESERVED", "PAUSED", "INTERRUPTED", "WORK_READY", "WORK", "WORK_NOT_READY"]
)
def test_automatic_states(agent: Agent, state: str) -> None:
    agent.put_media(media(state)).error(400)


@choice("States are written in upper case, and all else is Invalid Input", STATES)
@pytest.mark.parametrize("state", ["ready", "Not_Ready", "READY LOGOUT", "RESERVED", "WORK"])
def test_state_case(agent: Agent, state: str) -> None:
    agent.put_media(media(state)).refuses(400, "Invalid Input", data="state", media=agent.mrd)


@choice("ACTIVE, the way back from WORK, is Invalid Input in every other state", WORK)
@pytest.mark.parametrize("state", ["LOGOUT", "NOT_READY", "READY"])
def test_active(agent: Agent, state: str) -> None:
    agent.is_in(state)
    agent.put_media(media("ACTIVE")).refuses(400, "Invalid Input", data="state")


@statement("NOT_READY and READY change the stateChangeTime", MEDIA_PARAMETERS)
def test_state_change_time(agent: Agent) -> None:
    agent.is_in("NOT_READY")
    before = agent.get_media().text("stateChangeTime")
    shown = agent.change(agent.body("READY"), state="READY")
    if not shown.text("stateChangeTime") > before:
        shown.fail(f"a <stateChangeTime> after {before}", shown.text("stateChangeTime"))


# --- Whose Media ----------------------------------------------------------------------------------

OTHER_USER = {
    "error_type": "Invalid Authorization User Specified",
    "message": "The user specified in the authentication credentials and the uri don't match",
}


@statement("Users act on their own Media only", SEED, MEDIA_ERRORS)
def test_other_user(agent: Agent, other: Caller) -> None:
    other.put(agent.media_path(), media("READY")).refuses(401, **OTHER_USER)


@statement("Supervisors and administrators act on their own Media only, too", SEED)
@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_no_exception(agent: Agent, request: pytest.FixtureRequest, role: str) -> None:
    request.getfixturevalue(role).put(agent.media_path(), media("READY")).refuses(401, **OTHER_USER)


@choice(
    "The ErrorData of that error is the user of the credentials, and whether the user of the "
    "path exists is told to nobody",
    MEDIA_ERRORS,
)
def test_data_of_other_user(agent: Agent, other: Caller) -> None:
    for path in (agent.media_path(), f"User/conformance-nobody/Media/{agent.mrd}"):
        other.put(path, media("READY")).refuses(401, **OTHER_USER, data=other.login)


@statement("An MRD that is not known is 404 Not Found", SEED)
@pytest.mark.parametrize("mrd", ["999999", "abc", "-1", "99999999999999999999"])
def test_unknown_mrd(agent: Agent, mrd: str) -> None:
    agent.put_media(media("READY"), mrd).refuses(404, "Not Found")


@statement("Requests on one Media are served one after another, in their order", guide(22))
def test_serialised(agent: Agent, configuration: Configuration, events: None) -> None:
    agent.is_in("READY")
    reasons = [configuration["not_ready"], configuration["second_not_ready"]] * 3
    for reason in reasons:
        agent.put_media(agent.body("NOT_READY", reason)).accepted()
        agent.put_media(agent.body("READY")).accepted()
    for reason in reasons:
        agent.told().whole("Media").has(state="NOT_READY", reasonCodeId=reason)
        agent.told().whole("Media").has(state="READY")
