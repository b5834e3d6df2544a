"""Notifications: what is told, to whom, in which order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from kit.agent import Agent
from kit.client import Answer, Caller, new_request_id
from kit.configuration import Configuration
from kit.documents import LATER_MEDIA_ELEMENTS, MEDIA_ELEMENTS, PERIPHERAL_ERRORS, media, sign_in
from kit.evidence import fail
from kit.pages import (
    ABOUT_NOTIFICATIONS,
    ASYNCHRONOUS_ERROR,
    CLIENT,
    MEDIA_NOTIFICATION,
    NOTIFICATION_PARAMETERS,
    SEED,
    SOCKET,
    SUBSCRIPTIONS,
)
from kit.statements import choice, statement
from kit.stream import Stream, Update, handshake
from websockets.exceptions import InvalidStatus

pytestmark = pytest.mark.usefixtures("events")


def told_of_change(agent: Agent, request_id: str | None = None) -> Update:
    """The notification of a Media that becomes READY."""
    agent.is_in("NOT_READY")
    agent.put_media(media("READY"), request_id=request_id).accepted()
    return agent.told()


# --- A change -------------------------------------------------------------------------------------


@statement("An <Update> has data, event, requestId and source", NOTIFICATION_PARAMETERS)
def test_elements(agent: Agent) -> None:
    told_of_change(agent).has_exactly("data", "event", "requestId", "source")


@statement("The event of a change is PUT, in upper case", NOTIFICATION_PARAMETERS, CLIENT)
def test_event(agent: Agent) -> None:
    told_of_change(agent).has(event="PUT")


@statement("The source is the path of the Media, with its MRD", MEDIA_NOTIFICATION)
def test_source(agent: Agent, configuration: Configuration) -> None:
    for mrd in (agent.mrd, configuration["second_mrd"]):
        agent.is_in("NOT_READY", mrd)
        agent.put_media(media("READY"), mrd).accepted()
        agent.told(mrd).has(source=agent.media_uri(mrd)).whole("Media").has(id=mrd)


@choice("The node is the path of the user's Media", MEDIA_NOTIFICATION, SUBSCRIPTIONS)
def test_node(agent: Agent) -> None:
    update = told_of_change(agent)
    if update.frame.get("node") != f"{agent.uri}/Media":
        update.fail(f"the node {agent.uri}/Media", str(update.frame.get("node")))


@statement("The data is the whole <Media>, as GET shows it", MEDIA_NOTIFICATION)
def test_data(agent: Agent) -> None:
    told_of_change(agent).whole("Media").equals(agent.get_media())


@statement("The elements of that <Media> are named as printed", MEDIA_NOTIFICATION)
def test_media_elements(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("READY")
    answer = agent.put_media(agent.body("NOT_READY", configuration["not_ready"])).accepted()
    shown = agent.outcome(answer, state="NOT_READY")
    shown.has_exactly(*MEDIA_ELEMENTS, or_also=LATER_MEDIA_ELEMENTS)


@statement("A successful event does not carry the requestId: it is empty", SEED)
def test_request_id_of_success(agent: Agent) -> None:
    told_of_change(agent, new_request_id()).has(requestId="")


@statement("Of one change one notification is sent", ABOUT_NOTIFICATIONS)
def test_exactly_once(agent: Agent) -> None:
    told_of_change(agent)
    agent.is_told_nothing_before()


# --- An error -------------------------------------------------------------------------------------


def told_of_error(agent: Agent, request_id: str | None = None) -> Update:
    """The notification of error 6."""
    agent.is_in("LOGOUT")
    agent.put_media(media("READY"), request_id=request_id).accepted()
    return agent.told()


@statement(
    "The data of an error is <apiErrors> with an <apiError>: errorData, errorMedia, errorMessage, "
    "errorType, in lower camel case",
    ASYNCHRONOUS_ERROR,
    CLIENT,
)
def test_error_elements(agent: Agent) -> None:
    error = told_of_error(agent).error()
    names = ("errorData", "errorMedia", "errorMessage", "errorType")
    error.has_exactly(*names, or_also=PERIPHERAL_ERRORS)


@statement(
    "The event of an error is PUT, its source the Media, its errorMedia the MRD",
    ASYNCHRONOUS_ERROR,
    SEED,
)
def test_event_of_error(agent: Agent) -> None:
    update = told_of_error(agent).has(event="PUT", source=agent.media_uri())
    update.error().has(errorMedia=agent.mrd)


@statement("An error carries the requestId of its request", SEED, ASYNCHRONOUS_ERROR)
def test_request_id_of_error(agent: Agent) -> None:
    request_id = new_request_id()
    told_of_error(agent, request_id).has(requestId=request_id)


@statement("Without a requestId the tag is there and empty", NOTIFICATION_PARAMETERS)
def test_no_request_id(agent: Agent) -> None:
    told_of_error(agent).has(requestId="")


@statement("Special characters of a requestId are escaped", ASYNCHRONOUS_ERROR)
def test_escaped_request_id(agent: Agent) -> None:
    request_id = "<r>&\"'</r>]]>"
    told_of_error(agent, request_id).has(requestId=request_id)


# --- Order and completeness -----------------------------------------------------------------------


@choice("Each accepted request ends in one outcome, also of many at once", SOCKET)
def test_many_at_once(agent: Agent, configuration: Configuration) -> None:
    mrds = (agent.mrd, configuration["second_mrd"])
    for mrd in mrds:
        agent.is_in("LOGOUT", mrd)
    asked = [(mrd, new_request_id()) for mrd in mrds * 10]

    def ask(request: tuple[str, str]) -> Answer:
        mrd, request_id = request
        return agent.put_media(media("READY"), mrd, request_id=request_id)

    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(ask, asked):
            answer.accepted()
    for mrd in mrds:
        wanted = sorted(request_id for each, request_id in asked if each == mrd)
        told = [agent.told(mrd) for _ in wanted]
        if sorted(update.text("requestId") for update in told) != wanted:
            told[-1].fail("an error for each request", "another set of requestIds")
        agent.is_told_nothing_before(mrd)


@choice("Positions rise with each notification", SOCKET)
def test_positions(agent: Agent) -> None:
    first = told_of_error(agent)
    agent.put_media(media("READY")).accepted()
    second = agent.told()
    if not second.frame["position"] > first.frame["position"] > agent.stream.position:
        second.fail("rising positions", f"{first.frame['position']}, {second.frame['position']}")


@choice("Who comes back with the last position gets what was missed, once and in order", SOCKET)
def test_resume(agent: Agent) -> None:
    agent.is_in("LOGOUT")
    agent.put_media(media("READY"), request_id="before").accepted()
    last = agent.told().frame["position"]
    agent.close()
    missed = [new_request_id() for _ in range(5)]
    for request_id in missed:
        agent.caller.put(agent.media_path(), media("READY"), request_id=request_id).accepted()
    for _ in range(2):
        with closing(Stream(agent.caller, after=last)) as stream:
            for request_id in missed:
                stream.next(agent.media_uri()).has(requestId=request_id)
    agent.is_told_nothing_before()


@choice(
    "Subscribing is answered live without a position, replayed with one, reset with one that "
    "the log never had",
    SOCKET,
)
def test_resume_words(agent: Agent) -> None:
    last = told_of_error(agent).frame["position"]
    for after, word in ((None, "live"), (last, "replayed"), (2**53, "reset")):
        with closing(Stream(agent.caller, after=after)) as stream:
            if stream.subscribed.get("resume") != word:
                stream.fail(f"resume: {word}", str(stream.subscribed))


@choice("A frame repeats node, source, event and requestId of what it carries", SOCKET)
def test_frame(agent: Agent) -> None:
    update = told_of_error(agent, "frame")
    for name in ("source", "event", "requestId"):
        update.has(**{name: update.frame.get(name)})


@choice("A frame that is not understood is answered with an error, and the socket stays", SOCKET)
def test_odd_frames(agent: Agent) -> None:
    with closing(Stream(agent.caller)) as stream:
        for frame in ("", "no JSON", "[]", '{"type": "publish"}', '{"type": "subscribe"}'):
            stream.say(frame)
            answer = stream.hear()
            if answer.get("type") != "error":
                stream.fail("a frame of the type error", str(answer))
        agent.is_in("LOGOUT")
        agent.put_media(media("READY"), request_id="still there").accepted()
        while stream.next(agent.media_uri()).text("requestId") != "still there":
            pass


# --- Recipients -----------------------------------------------------------------------------------


@choice("The socket opens for right credentials only, all else is 401", SOCKET)
@pytest.mark.parametrize("header", [None, "Basic bm9ib2R5Ondyb25n", "Basic", "Bearer x"])
def test_handshake(agent: Agent, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    try:
        with handshake(agent.caller, additional_headers=headers):
            came = "it opens"
    except InvalidStatus as refused:
        came = f"status {refused.response.status_code}"
    if came != "status 401":
        fail("status 401", came, f"GET /ws/notifications/\nAuthorization: {header}")


@choice("Supervisors are told of their teams' members, administrators of everybody", SOCKET)
@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_readers(agent: Agent, request: pytest.FixtureRequest, role: str) -> None:
    agent.is_in("LOGOUT")
    with closing(Stream(request.getfixturevalue(role))) as stream:
        request_id = new_request_id()
        agent.put_media(media("READY"), request_id=request_id).accepted()
        stream.next(agent.media_uri()).has(requestId=request_id)


@statement("Agents are told of themselves only", SUBSCRIPTIONS)
def test_other_agents(agent: Agent, other: Caller, configuration: Configuration) -> None:
    """What the other one is told next is about the other one."""
    agent.is_in("LOGOUT")
    mrd = configuration["foreign_mrd"]
    with closing(Stream(other)) as stream:
        agent.put_media(media("READY")).accepted()
        agent.told()
        fence = new_request_id()
        # Nobody of this team is a member there: an error is certain, and changes nothing.
        other.put(f"User/{other.login}/Media/{mrd}", sign_in(), request_id=fence).accepted()
        update = stream.next_of_all()
        if update.text("requestId") != fence:
            update.fail("nothing about another agent", update.text("source"))
