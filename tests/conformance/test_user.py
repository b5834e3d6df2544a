"""User: the desktop's sign-in, states and sign-out."""

import pytest
from kit.agent import Agent
from kit.client import Caller, new_request_id
from kit.configuration import Configuration
from kit.documents import USER_ELEMENTS, user
from kit.pages import (
    ABOUT_NOTIFICATIONS,
    CAPTURE,
    REASON_NOT_ALLOWED,
    REASON_REQUIRED,
    STATE_REASONS,
    USER,
    USER_ERRORS,
    USER_NONVOICE,
    USER_NOTIFICATION,
    USER_SIGN_IN,
    guide,
)
from kit.statements import choice, statement

REQUIRED = "finesse.api.reasoncode.require_reasoncode"
WITHOUT_A_VALUE = ("mobileAgent", "pendingState", "services", "skillTargetId", "teams")
"""For an agent at a desk, who is no supervisor; Cisco's sample does not print them."""
NOT_ALLOWED = "finesse.api.reasoncode.not_allowed"
OTHER_USER = "Invalid Authorization User Specified"


@pytest.fixture
def agent(agent: Agent, configuration: Configuration) -> Agent:
    """Signed out of the MRDs, so that the desktop's sign-out has no consequences there."""
    for mrd in (agent.mrd, configuration.get("second_mrd")):
        if mrd:
            agent.is_in("LOGOUT", mrd)
    return agent


@statement("A User has the elements that every agent has a value for", USER)
def test_elements(agent: Agent) -> None:
    without = {"reasonCode", *WITHOUT_A_VALUE}
    shown = agent.get_user().has_all(*(name for name in USER_ELEMENTS if name not in without))
    shown.child("settings").has_all("wrapUpOnIncoming", "wrapUpOnOutgoing", "deviceSelection")


@choice("It has the others, too, whether there is a value or not", USER)
def test_elements_without_a_value(agent: Agent) -> None:
    shown = agent.get_user().has_all(*WITHOUT_A_VALUE)
    shown.child("mobileAgent").has_all("mode", "dialNumber")


@choice("It has no others, and they come by the alphabet as in real answers", CAPTURE)
def test_order(agent: Agent) -> None:
    agent.get_user().has_exactly(*USER_ELEMENTS).has_in_order(*USER_ELEMENTS)


@statement("Its uri, loginId, team, roles, dialogs and mediaType 1 tell who it is", USER)
def test_values(agent: Agent, configuration: Configuration) -> None:
    shown = agent.get_user()
    shown.has(
        uri=agent.uri,
        loginId=agent.login,
        teamId=configuration["team"],
        dialogs=f"{agent.uri}/Dialogs",
        mediaType=1,
    )
    roles = [role.value for role in shown.child("roles").every("role")]
    if "Agent" not in roles:
        shown.fail("the role Agent", str(roles))


@statement("Agents read their own User only, administrators any", USER)
def test_readers(agent: Agent, other: Caller, admin: Caller) -> None:
    other.get(agent.path).refuses(401, OTHER_USER)
    admin.get(agent.path).document("User").equals(agent.get_user())


@choice("Supervisors read their teams' members, others are Invalid Supervisor", USER_ERRORS)
def test_supervisors_read(agent: Agent, supervisor: Caller, configuration: Configuration) -> None:
    supervisor.get(agent.path).document("User").has(loginId=agent.login)
    foreign = configuration["foreign"]
    supervisor.get(f"User/{foreign}").refuses(401, "Invalid Supervisor")


@statement("A user who does not exist is 404 User Not Found, UNKNOWN_USER", guide(30), USER_ERRORS)
def test_unknown(admin: Caller) -> None:
    name = "conformance-nobody"
    admin.get(f"User/{name}").refuses(404, "User Not Found", message="UNKNOWN_USER", data=name)


# --- Signing in -----------------------------------------------------------------------------------


@statement("Signing in is 202 with an empty body, and leads to NOT_READY", USER_SIGN_IN)
def test_sign_in(agent: Agent) -> None:
    agent.desktop_is_in("LOGOUT")
    agent.change_user(
        user("LOGIN", extension=agent.extension), state="NOT_READY", extension=agent.extension
    )
    request_id = new_request_id()
    answer = agent.put_user(user("LOGIN", extension=agent.extension), request_id=request_id)
    answer.accepted().is_empty().header("requestId", request_id)


@statement("Signing in again keeps the state", USER_SIGN_IN)
def test_sign_in_again(agent: Agent, configuration: Configuration) -> None:
    agent.desktop_is_in("READY")
    extension = configuration["second_extension"]
    if agent.get_user().text("extension") == extension:
        extension = agent.extension
    agent.change_user(user("LOGIN", extension=extension), state="READY", extension=extension)


@choice("Signing in without an extension or a device is Parameter Missing", USER_SIGN_IN)
def test_extension(agent: Agent) -> None:
    agent.put_user(user("LOGIN")).refuses(400, "Parameter Missing", data="extension")


@statement("A state that is missing is Parameter Missing, an unknown one Invalid Input", guide(33))
def test_state(agent: Agent) -> None:
    agent.put_user(user()).refuses(
        400, "Parameter Missing", message="State Parameter missing", data="state"
    )
    for state in ("AWAY", "TALKING"):
        agent.put_user(user(state)).refuses(
            400, "Invalid Input", message="Invalid State specified for user", data="state"
        )


# --- States ---------------------------------------------------------------------------------------


@statement("NOT_READY with a reason shows it in reasonCodeId and <reasonCode>", USER, CAPTURE)
def test_not_ready(agent: Agent, configuration: Configuration) -> None:
    reason = configuration["not_ready"]
    agent.desktop_is_in("READY")
    body = user("NOT_READY", reasonCodeId=reason)
    shown = agent.change_user(body, state="NOT_READY", reasonCodeId=reason).child("reasonCode")
    shown.has_all("category", "code", "forAll", "id", "label", "systemCode", "uri")
    shown.has(id=reason, category="NOT_READY", uri=f"/finesse/api/ReasonCode/{reason}")


@statement("READY leads from NOT_READY to READY, without a reason", USER)
def test_ready(agent: Agent) -> None:
    agent.desktop_is_in("NOT_READY")
    agent.change_user(user("READY"), state="READY", reasonCodeId=-1)


@statement("The desktop's NOT_READY without a reason is refused, too", REASON_REQUIRED)
def test_reason_required(agent: Agent, configuration: Configuration) -> None:
    assert configuration["not_ready"]
    agent.desktop_is_in("READY")
    agent.put_user(user("NOT_READY")).refuses(400, "Parameter Missing", data=REQUIRED)


@statement("The desktop's READY with a reason is refused, too", REASON_NOT_ALLOWED)
def test_reason_not_allowed(agent: Agent, configuration: Configuration) -> None:
    agent.desktop_is_in("NOT_READY")
    body = user("READY", reasonCodeId=configuration["not_ready"])
    agent.put_user(body).refuses(400, "Invalid Input", data=NOT_ALLOWED)


@choice("A reason of another team is Invalid Input", USER_ERRORS)
def test_reason_of_other_team(agent: Agent, configuration: Configuration) -> None:
    agent.desktop_is_in("READY")
    body = user("NOT_READY", reasonCodeId=configuration["foreign_not_ready"])
    agent.put_user(body).refuses(400, "Invalid Input")


@statement("LOGOUT is for NOT_READY only: from READY and LOGOUT it is Invalid State", USER_ERRORS)
def test_logout(agent: Agent) -> None:
    body = user("LOGOUT", reasonCodeId=agent.reason("LOGOUT"))
    agent.desktop_is_in("READY")
    agent.put_user(body).refuses(400, "Invalid State")
    agent.desktop_is_in("NOT_READY")
    agent.change_user(body, state="LOGOUT")
    agent.put_user(body).refuses(400, "Invalid State")


@statement("Signing out of the desktop signs out of all MRDs, by default", USER_NONVOICE)
def test_logout_of_mrds(agent: Agent, configuration: Configuration) -> None:
    second = configuration["second_mrd"]
    agent.desktop_is_in("NOT_READY")
    agent.is_in("NOT_READY")
    agent.is_in("READY", second)
    answer = agent.put_user(user("LOGOUT", reasonCodeId=agent.reason("LOGOUT"))).accepted()
    agent.outcome(answer, state="LOGOUT")
    agent.outcome(answer, second, state="LOGOUT")


# --- Notifications --------------------------------------------------------------------------------


@statement(
    "A User's notification is a PUT with the whole <user>, source and node are its path",
    USER_NOTIFICATION,
)
def test_notification(agent: Agent, events: None) -> None:
    agent.desktop_is_in("NOT_READY")
    agent.put_user(user("READY")).accepted()
    update = agent.told_of_user().has(event="PUT", source=agent.uri, requestId="")
    update.has_exactly("data", "event", "requestId", "source")
    if update.frame.get("node") != agent.uri:
        update.fail(f"the node {agent.uri}", str(update.frame.get("node")))
    shown = update.whole("user")
    shown.element.tag = "User"
    shown.equals(agent.get_user())


@statement("READY while READY, and NOT_READY for the same reason, tell nobody", ABOUT_NOTIFICATIONS)
def test_nothing_changed(agent: Agent, configuration: Configuration, events: None) -> None:
    first, second = configuration["not_ready"], configuration["second_not_ready"]
    agent.desktop_is_in("READY")
    agent.put_user(user("READY")).accepted()
    agent.change_user(user("NOT_READY", reasonCodeId=first), reasonCodeId=first)
    agent.put_user(user("NOT_READY", reasonCodeId=first)).accepted()
    agent.change_user(user("NOT_READY", reasonCodeId=second), reasonCodeId=second)


# --- Others ---------------------------------------------------------------------------------------


@statement("Agents change their own User only", USER_ERRORS)
def test_other_agent(agent: Agent, other: Caller) -> None:
    other.put(agent.path, user("READY")).refuses(401, OTHER_USER)


@statement(
    "A supervisor who changes an agent to NOT_READY gives no reason: it is the system's 999",
    STATE_REASONS,
    guide(50),
    USER_ERRORS,
)
def test_supervisor(agent: Agent, supervisor: Caller, configuration: Configuration) -> None:
    agent.desktop_is_in("READY")
    body = user("NOT_READY", reasonCodeId=configuration["not_ready"])
    supervisor.put(agent.path, body).refuses(400, "Invalid Input", data=NOT_ALLOWED)
    shown = agent.change_user(user("NOT_READY"), by=supervisor, state="NOT_READY")
    shown.child("reasonCode").has(code=999, systemCode=True)


@choice("A supervisor changes members to READY and LOGOUT, but does not sign them in", USER)
def test_supervisors_others(agent: Agent, supervisor: Caller, configuration: Configuration) -> None:
    agent.desktop_is_in("NOT_READY")
    agent.change_user(user("READY"), by=supervisor, state="READY")
    agent.change_user(user("LOGOUT"), by=supervisor, state="LOGOUT")
    body = user("LOGIN", extension=agent.extension)
    supervisor.put(agent.path, body).refuses(401, OTHER_USER)
    supervisor.put(f"User/{configuration['foreign']}", user("READY")).refuses(
        401, "Invalid Supervisor"
    )
