"""The documents that the protocol's pages print, and the shapes that they describe.

Each file names its page in its first line. The pages' misprints are not repeated: `</forAll/>`,
`</reaasonCodeId>`, a lower-case event, a blank inside a constant.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, canonicalize, fromstring, tostring

import pytest

from finesse.api import errors
from finesse.api.xml import Children, Tree, parse, render
from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.status.system_info import represent as represent_system_info
from finesse.users.models import Team, User
from media.documents.media import represent, represent_mrd, represent_non_member
from media.documents.updates import of_changed_member
from media.documents.user import represent_team, represent_user
from media.models import Desktop, Media, MediaRequest, MediaRoutingDomain, media_uri
from media.writing import writer
from reasoncodes.documents import represent as represent_reason_code
from reasoncodes.documents import represent_list
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast
from tests.kit.golden_files import NAMES, golden

AT = datetime(2015, 9, 11, 6, 55, 14, 782000, tzinfo=UTC)


def page_of(name: str) -> str:
    """The page that prints or describes the document, from the file's first line."""
    named = re.match(r"<!-- (\[.+\]) -->\n", golden(name))
    assert named, f"{name} does not name its page"
    return named[1]


def canonical(document: str | Element) -> str:
    text = document if isinstance(document, str) else tostring(document, encoding="unicode")
    return canonicalize(text, strip_text=True)


def ids(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, id=f"{name} {page_of(name)}") for name in names]


# --- there and back -----------------------------------------------------------------------------


def as_document(tree: Tree) -> Any:
    """What `render` takes, of what `parse` gives."""
    if not isinstance(tree, Children):
        return tree
    return {name: [as_document(child) for child in tree.every(name)] for name in tree}


def bare(text: str) -> Element:
    """The elements and their text: the codec reads neither namespaces nor attributes."""
    root = fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib.clear()
    return root


@pytest.mark.parametrize("name", ids(NAMES))
def test_the_document_comes_back_as_it_went(name: str) -> None:
    ((root, tree),) = parse(golden(name).encode()).items()
    for pretty in (False, True):
        written = render({root: as_document(tree)}, pretty=pretty)
        assert canonical(written) == canonical(bare(golden(name)))


def test_a_stanza_carries_the_update_as_text_escaped_once() -> None:
    stanza = fromstring(golden("xmpp-notification"))
    (notification,) = stanza.iter("{http://jabber.org/protocol/pubsub}notification")
    update = fromstring(notification.text or "")
    assert update.findtext("data/Media/description") == "A & B"
    assert update.findtext("source") == "/finesse/api/User/1001001/Media/5001"


# --- what the product writes --------------------------------------------------------------------

CHAT = MediaRoutingDomain(pk=5000, name="Cisco_Chat_MRD", description="Chat MRD")
CHAT1 = MediaRoutingDomain(pk=5001, name="Cisco_Chat_MRD", description="Chat MRD")
CHAT2 = MediaRoutingDomain(pk=5002, name="Cisco_Chat_MRD2", description="Chat MRD")
VOICE = MediaRoutingDomain(pk=1, name="Cisco_Voice", description="Voice")
MEETING = ReasonCode(pk=16, category="NOT_READY", code=10, label="Team Meeting", for_all=True)
LUNCH = ReasonCode(pk=16, category="NOT_READY", code=12, label="Lunch", for_all=True)
COACHING = ReasonCode(pk=17, category="NOT_READY", code=13, label="Coaching", for_all=False)


def media(login_id: str = "1001004", mrd: MediaRoutingDomain = CHAT) -> dict[str, Any]:
    """The Media of the samples."""
    return represent(
        Media(
            user_id=login_id,
            mrd=mrd,
            state="NOT_READY",
            state_change_time=AT,
            reason_code=MEETING,
            routable=True,
            max_dialog_limit=10,
            interrupt_action="IGNORE",
            dialog_logout_action="CLOSE",
        )
    )


def not_assigned() -> dict[str, Any]:
    return represent_non_member(media_uri("1001004", 5002), CHAT2)


def user(state: str = "NOT_READY", reason_code: ReasonCode | None = MEETING) -> User:
    """The user of the samples, a member and supervisor of team 1."""
    team = Team.objects.create(pk=1, name="Default")
    made = User.objects.create_user(
        "1001002", first_name="AGENT", last_name="1001002", team=team, is_supervisor=True
    )
    team.supervisors.add(made)
    if reason_code:
        reason_code.save()
    Desktop.objects.create(
        user=made,
        state=state,
        state_change_time=AT,
        reason_code=reason_code,
        extension="1001002",
    )
    return made


def team_of_user() -> dict[str, Any]:
    team = user("READY", None).team
    assert team
    return represent_team(team)


def update(data: dict[str, Any] | None, source: str, **options: Any) -> str:
    return published([log.Entry(node=source, source=source, data=data, **options)])


def published(entries: list[log.Entry]) -> str:
    """What the log makes of the one entry."""
    (written,) = log.append(log.lock(), entries)
    return written.update


def second_sign_in() -> str:
    """The error that the writer publishes."""
    agent = User.objects.create_user("1001001", first_name="Agent")
    mrd = MediaRoutingDomain.objects.create(pk=5001, name="Cisco_Email_MRD")
    Media.objects.create(user=agent, mrd=mrd)
    for request_id in ("", "xxx-xxxx"):
        MediaRequest.objects.create(
            login_id=agent.pk,
            mrd_id=mrd.pk,
            requested="LOGIN",
            max_dialog_limit=5,
            interrupt_action="ACCEPT",
            dialog_logout_action="CLOSE",
            request_id=request_id,
            actor=agent.pk,
            accepted_at=AT,
        )
    writer.apply_pending()
    (last,) = log.read(after=log.head().position - 1)
    return last.update


def error(row: errors.ErrorRow, media: str | None = "5001", **values: str) -> str:
    return render(row(**values).body(media=media))


PRODUCED: dict[str, Callable[[], str]] = {
    "media": lambda: render({"Media": media()}),
    "media-not-assigned": lambda: render({"Media": not_assigned()}),
    "media-list": lambda: render({"MediaList": {"Media": [media(), not_assigned()]}}),
    "media-domains": lambda: render(
        {"MediaDomains": {"MediaDomain": [represent_mrd(VOICE), represent_mrd(CHAT)]}}
    ),
    "user": lambda: render({"User": represent_user(user())}),
    "team": lambda: render({"Team": team_of_user()}),
    "reason-code": lambda: render({"ReasonCode": represent_reason_code(LUNCH)}),
    "reason-codes": lambda: render(represent_list([LUNCH, COACHING], "NOT_READY")),
    "reason-codes-none": lambda: render(represent_list([], "LOGOUT")),
    "dialogs-none": lambda: render({"Dialogs": None}),
    "update": lambda: update({"Media": media("1001001", CHAT1)}, media_uri("1001001", 5001)),
    "update-error": second_sign_in,
    "update-user": lambda: update(
        {"user": represent_user(user())}, "/finesse/api/User/1001002", event=Event.PUT
    ),
    "update-team-user": lambda: published(of_changed_member(represent_user(user()), 1)),
    "update-user-deleted": lambda: update(None, "/finesse/api/User/1001002", event=Event.DELETE),
    "error-out-of-service": lambda: error(errors.OUT_OF_SERVICE),
    "error-already-logged-in": lambda: error(errors.AGENT_ALREADY_LOGGED_IN),
    "error-not-logged-in": lambda: error(errors.AGENT_NOT_LOGGED_IN),
    "error-already-in-mode": lambda: error(errors.ALREADY_IN_REQUESTED_AGENT_MODE),
    "error-other-user": lambda: error(errors.OTHER_USER, user="1002001"),
    "error-reason-code-required": lambda: error(errors.REASON_CODE_REQUIRED),
    "error-reason-code-not-allowed": lambda: error(errors.REASON_CODE_NOT_ALLOWED),
    "error-state-missing": lambda: error(errors.STATE_MISSING),
    "error-state-invalid": lambda: error(errors.STATE_INVALID),
    "error-authentication": lambda: error(errors.AUTHENTICATION_FAILURE, user="1001001"),
    "error-authorization": lambda: error(errors.AUTHORIZATION_FAILURE, user="1001001"),
    "error-user-not-found": lambda: error(errors.USER_NOT_FOUND, None, user="4023"),
    "error-team-assignment": lambda: error(errors.TEAM_ASSIGNMENT_INVALID_TEAM, None, team="574"),
}


@pytest.mark.parametrize("name", ids(PRODUCED))
@pytest.mark.django_db
def test_the_product_writes_the_document_in_the_same_order(name: str) -> None:
    assert canonical(PRODUCED[name]()) == canonical(golden(name))


@pytest.mark.django_db
def test_the_update_of_another_page_differs_in_the_order_alone(settings: Any) -> None:
    """[Media Notification] prints the children of <Update> in another order than the rest."""
    settings.FINESSE_REQUEST_ID_ON_SUCCESS = True
    source = media_uri("1001004", 5000)
    written = fromstring(update({"Media": media()}, source, request_id="xxxx-xxxx"))
    printed = fromstring(golden("update-media"))
    assert sorted(map(canonical, written)) == sorted(map(canonical, printed))


def test_system_info_has_the_children_of_the_document_in_its_order() -> None:
    """Its values are those of the moment."""
    described = fromstring(golden("system-info"))
    assert names(fromstring(render({"SystemInfo": represent_system_info()}))) == names(described)


def names(element: Element) -> list[str]:
    return [one.tag for one in element.iter()]


def test_every_answer_and_event_among_the_documents_is_written_by_the_product_too() -> None:
    """Except requests, documents of tasks, and those that other tests compare."""
    tasks = {"dialogs", "update-dialog", "update-dialogs", "error-dialog-not-found"}
    elsewhere = {"update-media", "system-info", "update-system-info"}
    requests = {name for name in NAMES if re.match("put-|post-|xmpp-", name)}
    assert set(NAMES) == PRODUCED.keys() | requests | tasks | elsewhere


# --- what the product reads ---------------------------------------------------------------------

READ = {
    "put-media-sign-in": ("PUT", "User/alice/Media/5001", 202),
    "put-media-sign-out": ("PUT", "User/alice/Media/5001", 202),
    "put-media-reason-code": ("PUT", "User/alice/Media/5001", 202),
    "put-media-routable": ("PUT", "User/alice/Media/5001", 202),
    "put-user-sign-in": ("PUT", "User/alice", 202),
    "put-user-sign-out": ("PUT", "User/alice", 202),
    "put-user-ready": ("PUT", "User/alice", 202),
    "put-user-reason-code": ("PUT", "User/alice", 202),
    "post-reason-code": ("POST", "ReasonCode", 200),
    "put-reason-code": ("PUT", "ReasonCode/1017", 200),
    "put-team-reason-codes": ("PUT", "Team/{team}/ReasonCodes?category=NOT_READY", 200),
}


@pytest.mark.parametrize("name", ids(READ))
def test_the_product_takes_the_body_as_printed(api: API, cast: Cast, name: str) -> None:
    method, path, status = READ[name]
    team = cast.alice.team
    assert team
    if "sign-out" not in name:
        # An agent who signs out without a reason has none to choose.
        make = ReasonCode.objects.create
        make(pk=1001, category="NOT_READY", code=10, label="Team Meeting")
        make(pk=1017, category="NOT_READY", code=13, label="Coaching", for_all=False)
        make(pk=1018, category="NOT_READY", code=14, label="Filing", for_all=False)
    if name.startswith("put-user") and "sign-in" not in name:
        Desktop.objects.create(user=cast.alice, state="NOT_READY", extension="1001")
    login = "alice" if path.startswith("User") else "dave"
    response = api.request(method, path.format(team=team.pk), golden(name), login=login)
    assert (response.status_code, response.content) == (status, b"")


def test_every_request_among_the_documents_is_read_by_the_product_too() -> None:
    """But what takes no part in this service: it routes no tasks."""
    requests = {name for name in NAMES if re.match("put-|post-", name)}
    assert requests == READ.keys() | {"put-dialog"}
