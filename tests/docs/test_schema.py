"""The XML Schema describes every document of the API, and every document is as described."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from finesse.api import errors
from finesse.api.xml import render
from finesse.docs.xml_schema import xml_schema
from finesse.notifications.models import Notification
from finesse.notifications.outages import publish_status
from finesse.status.system_info import Status
from finesse.users.models import Team, User
from media.models import DialogLogoutAction, InterruptAction, Media, MediaRoutingDomain
from media.states import DESKTOP_TRANSITIONS, MEDIA_STATES, USER_STATES, State
from reasoncodes.models import Category, ReasonCode
from tests.conftest import API, LOGIN, Cast
from tests.kit.golden_files import NAMES, golden
from tests.kit.xml_schema import faults, schema

XS = "{http://www.w3.org/2001/XMLSchema}"


# --- the schema itself --------------------------------------------------------------------------


def test_the_schema_is_valid_xml_schema_1_0() -> None:
    xmlschema.XMLSchema10.meta_schema.validate(xml_schema())
    assert not schema().all_errors


def test_every_declaration_names_the_page_that_it_is_from() -> None:
    for declared in fromstring(xml_schema()):
        if name := declared.get("name"):
            documentation = declared.findtext(f"{XS}annotation/{XS}documentation") or ""
            assert re.search(r"\[[A-Z][^]]+\]", documentation), name


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("MediaState", set(State)),
        ("RequestedMediaState", set(MEDIA_STATES)),
        ("RequestedUserState", set(USER_STATES)),
        ("InterruptAction", set(InterruptAction)),
        ("DialogLogoutAction", set(DialogLogoutAction)),
        ("Category", set(Category)),
        ("ErrorType", {row.type for row in errors.TABLE.values()}),
    ],
)
def test_the_values_are_those_of_the_tables(type_name: str, values: set[Any]) -> None:
    assert set(schema().types[type_name].enumeration) == {str(value) for value in values}


def test_the_states_of_a_desktop_are_among_those_of_a_user() -> None:
    assert set(DESKTOP_TRANSITIONS) <= set(schema().types["UserState"].enumeration)


# --- every document that the pages print --------------------------------------------------------

REQUESTS = {
    "put-media-sign-in": "MediaSignIn",
    "put-media-sign-out": "MediaChangeState",
    "put-media-reason-code": "MediaChangeState",
    "put-media-routable": "MediaChangeMode",
    "put-user-sign-in": "UserSignIn",
    "put-user-sign-out": "UserChangeState",
    "put-user-ready": "UserChangeState",
    "put-user-reason-code": "UserChangeState",
    "post-reason-code": "ReasonCodeAdd",
    "put-reason-code": "ReasonCodeChange",
    "put-team-reason-codes": "TeamReasonCodes",
    "put-dialog": "TaskActionRequest",
}
# A stanza is XMPP's; this page alone prints another order than the rest.
NOT_DESCRIBED = {"xmpp-subscribe", "xmpp-unsubscribe", "xmpp-notification", "update-media"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_DESCRIBED])
def test_the_documents_of_the_pages_are_valid(name: str) -> None:
    assert faults(golden(name), REQUESTS.get(name)) == []


@pytest.mark.parametrize("name", REQUESTS)
def test_the_children_of_a_request_may_have_any_order(name: str) -> None:
    root = fromstring(golden(name))
    root[:] = reversed(root)
    assert not list(schema().types[REQUESTS[name]].iter_errors(root))


CORRUPTIONS = [
    # A wrong case.
    ("media", "<Media>", "<media>", "</Media>", "</media>"),
    ("media", "<state>NOT_READY", "<state>not_ready"),
    ("media", "<routable>true", "<routable>True"),
    ("media", "<interruptible>false", "<interruptible>False"),
    ("media", "<ReasonCode>", "<reasonCode>", "</ReasonCode>", "</reasonCode>"),
    ("user", "<reasonCode>", "<ReasonCode>", "</reasonCode>", "</ReasonCode>"),
    ("user", "<role>Agent", "<role>agent"),
    ("update-error", "<event>PUT", "<event>put"),
    ("update-error", "<errorData>1</errorData>", "<ErrorData>1</ErrorData>"),
    ("update-error", "<apiErrors>", "<ApiErrors>", "</apiErrors>", "</ApiErrors>"),
    ("update-user", "<user>", "<User>", "</user>", "</User>"),
    ("update-team-user", "<reasonCode>", "<ReasonCode>", "</reasonCode>", "</ReasonCode>"),
    ("error-other-user", "<ErrorData>1002001</ErrorData>", "<errorData>1002001</errorData>"),
    ("system-info", "<lastCTIHeartbeatStatus>success", "<lastCTIHeartbeatStatus>Success"),
    # A mandatory element that is missing.
    ("media", "<state>NOT_READY</state>", ""),
    ("media", "<description>Chat MRD</description>", ""),
    ("media", "<interruptAction>IGNORE</interruptAction>", ""),
    ("media", "<reasonCodeId>16</reasonCodeId>", ""),
    ("media", "<label>Team Meeting</label>", ""),
    ("media-not-assigned", "<name>Cisco_Chat_MRD2</name>", ""),
    ("user", "<pendingState></pendingState>", ""),
    ("user", "<mode></mode>", ""),
    ("user", "<loginName>1001002</loginName>", ""),
    ("update-team-user", "<uri>/finesse/api/User/1001002</uri>", ""),
    ("team", "<stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>", ""),
    ("reason-code", "<systemCode>false</systemCode>", ""),
    ("system-info", "<license></license>", ""),
    ("update-error", "<requestId>xxx-xxxx</requestId>", ""),
    ("error-other-user", "<ErrorData>1002001</ErrorData>", ""),
    ("error-out-of-service", "<ErrorData></ErrorData>", ""),
    ("reason-codes", ' category="NOT_READY"', ""),
    ("put-media-sign-in", "<interruptAction>ACCEPT</interruptAction>", ""),
    ("put-media-reason-code", "<state>NOT_READY</state>", ""),
    ("post-reason-code", "<forAll>true</forAll>", ""),
    ("put-dialog", "<requestedAction>ACCEPT</requestedAction>", ""),
    # Another order.
    ("media", "<id>5000</id>", "", "<maxDialogLimit>", "<id>5000</id><maxDialogLimit>"),
    ("media", "<uri>/finesse/api/User/1001004/Media/5000</uri>", "", "</Media>",
     "<uri>/finesse/api/User/1001004/Media/5000</uri></Media>"),
    ("reason-code", "<id>16</id>", "", "</ReasonCode>", "<id>16</id></ReasonCode>"),
    ("update-error", "<event>PUT</event>", "", "<data>", "<event>PUT</event><data>"),
    ("error-other-user", "<ErrorData>1002001</ErrorData>", "", "</ApiError>",
     "<ErrorData>1002001</ErrorData></ApiError>"),
    # What does not belong there, or is there twice.
    ("media", "<routable>true</routable>", "<routable>true</routable><routable>true</routable>"),
    ("media", "<name>", "<mrdId>5000</mrdId><name>"),
    ("media-not-assigned", "</Media>", "<state>READY</state></Media>"),
    ("error-out-of-service", "</ApiError>", "<ErrorMedia>1</ErrorMedia></ApiError>"),
    ("reason-codes", "</ReasonCodes>", "<Media></Media></ReasonCodes>"),
    ("put-media-routable", "<routable>", "<state>READY</state><routable>"),
    ("update-error", "</data>", "<user></user></data>"),
    ("update-team-user", "<state>", "<reasonCodeId>16</reasonCodeId><state>"),
    # Values.
    ("media", "<state>NOT_READY", "<state>LOGIN"),
    ("media", "<state>NOT_READY", "<state>WORK_NOT_READY"),
    ("media", "<routable>true", "<routable>1"),
    ("media", "<maxDialogLimit>10", "<maxDialogLimit>11"),
    ("media", "<maxDialogLimit>10", "<maxDialogLimit>0"),
    ("media", "<interruptAction>IGNORE", "<interruptAction>CLOSE"),
    ("media", "<dialogLogoutAction>CLOSE", "<dialogLogoutAction>"),
    ("media", "<reasonCodeId>16", "<reasonCodeId>"),
    ("media", "<reasonCodeId>16", "<reasonCodeId>016"),
    ("media", "<category>NOT_READY", "<category>LOGOUT"),
    ("media", "<code>10", "<code>65536"),
    ("media", "<code>10", "<code>0"),
    ("media", "<label>Team Meeting", "<label>" + "x" * 41),
    ("media", "<label>Team Meeting", "<label>"),
    ("media", "<label>Team Meeting", "<label> Team Meeting"),
    ("media", "<label>Team Meeting", "<label>\u00a0Team Meeting"),
    ("media", "<label>Team Meeting", "<label>Team\u202eMeeting"),
    ("media", "<label>Team Meeting", "<label>Team\u0085Meeting"),
    ("media", "<label>Team Meeting", "<label>Team\ue000Meeting"),
    ("media", "<label>Team Meeting", "<label>Team\U000e0041Meeting"),
    ("media", "55:14.782Z", "55:14Z"),
    ("media", "55:14.782Z", "55:14.782+00:00"),
    ("media", "2015-09-11T06", "2015-09-11 06"),
    ("media", "/finesse/api/User/1001004/Media/5000", "/finesse/api/User/1001004/Media/"),
    ("media", "/finesse/api/ReasonCode/16", "https://finesse.example/finesse/api/ReasonCode/16"),
    ("user", "<state>NOT_READY", "<state>LOGIN"),
    ("user", "<mediaType>1", "<mediaType>voice"),
    ("user", "<teamId>1", "<teamId>None"),
    ("user", "<reasonCodeId>16", "<reasonCodeId>None"),
    ("system-info", "<status>IN_SERVICE", "<status>UP"),
    ("system-info", "<currentTimestamp>2015-09-11T06:55:14.782Z", "<currentTimestamp>"),
    ("reason-codes", 'category="NOT_READY"', 'category="READY"'),
    ("update-error", "<requestId>xxx-xxxx", "<requestId>ü"),
    ("update-error", "<errorType>Agent already logged into MRD", "<errorType>Oops"),
    ("error-other-user", "<ErrorMessage>The user specified in the authentication credentials "
     "and the uri don't match", "<ErrorMessage>"),
    ("put-media-reason-code", "<reasonCodeId>1001", "<reasonCodeId>lunch"),
    ("post-reason-code", "<forAll>true", "<forAll>True"),
    ("put-user-sign-in", "<state>LOGIN", "<state>READY"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), [(name, changes) for name, *changes in CORRUPTIONS])
def test_a_small_corruption_makes_a_document_invalid(name: str, changes: list[str]) -> None:
    document = golden(name)
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in document
        document = document.replace(old, new)
    assert faults(document, REQUESTS.get(name))


# --- every answer to a GET ----------------------------------------------------------------------


@dataclass(frozen=True)
class Get:
    """A GET and its answer. {chat} and {Lunch} stand for ids of the cast."""

    path: str
    root: str
    status: int = 200
    login: str | None = "alice"

    def __str__(self) -> str:
        return f"{self.path or '(nothing)'} by {self.login or 'nobody'}: {self.status}"


GETS = [
    Get("User/alice/Media", "MediaList"),
    Get("User/dave/Media", "MediaList", login="dave"),
    Get("User/alice/Media?nocache=1448351300000", "MediaList"),
    Get("User/bob/Media", "ApiErrors", 401),
    Get("User/bob/Media", "ApiErrors", 401, login="dave"),
    Get("User/alice/Media", "ApiErrors", 401, login=None),
    Get("User/alice/Media/5000", "Media"),
    Get("User/alice/Media/5001/", "Media"),
    Get("User/alice/Media/5002", "Media"),
    Get("User/alice/Media/1", "ApiErrors", 404),
    Get("User/alice/Media/4711", "ApiErrors", 404),
    Get("User/alice/Media/a%00b", "ApiErrors", 404),
    Get("User/bob/Media/5002", "ApiErrors", 401),
    Get("User/alice", "User"),
    Get("User/bob", "User", login="bob"),
    Get("User/carol", "User", login="carol"),
    Get("User/dave/", "User", login="dave"),
    Get("User/alice", "User", login="carol"),
    Get("User/bob", "User", login="dave"),
    Get("User/bob", "ApiErrors", 401),
    Get("User/bob", "ApiErrors", 401, login="carol"),
    Get("User/nobody", "ApiErrors", 404, login="dave"),
    Get("User/alice/Dialogs", "Dialogs"),
    Get("User/alice/Dialogs/Media", "Dialogs"),
    Get("User/bob/Dialogs", "ApiErrors", 401),
    Get("Users", "Users", login="dave"),
    Get("Users", "ApiErrors", 401, login="carol"),
    Get("Teams/?nocache=1&bypassServerCache=true", "Teams", login="dave"),
    Get("Teams", "ApiErrors", 401),
    Get("User/alice/Queues", "Queues"),
    Get("User/alice/WrapUpReasons/", "WrapUpReasons"),
    Get("User/alice/PhoneBooks", "PhoneBooks", login="dave"),
    Get("User/alice/MediaPropertiesLayouts", "MediaPropertiesLayouts"),
    Get("User/alice/ClientLog", "ClientLog"),
    Get("User/bob/Queues", "ApiErrors", 401),
    Get("User/nobody/Queues", "ApiErrors", 404, login="dave"),
    Get("MediaDomain", "MediaDomains"),
    Get("MediaDomain/1", "MediaDomain"),
    Get("MediaDomain/5000", "MediaDomain"),
    Get("MediaDomain/4711", "ApiErrors", 404),
    Get("MediaDomain", "ApiErrors", 401, login=None),
    Get("Team/{chat}", "Team", login="carol"),
    Get("Team/{chat}/", "Team", login="dave"),
    Get("Team/{empty}", "Team", login="dave"),
    Get("Team/{chat}", "ApiErrors", 401),
    Get("Team/{back office}", "ApiErrors", 401, login="carol"),
    Get("Team/4711", "ApiErrors", 404, login="dave"),
    Get("ReasonCode/{Lunch}", "ReasonCode"),
    Get("ReasonCode/{Filing}", "ReasonCode"),
    Get("ReasonCode/{End of shift}", "ReasonCode"),
    Get("ReasonCode/4711", "ApiErrors", 404),
    Get("ReasonCode?category=NOT_READY&code=1", "ReasonCode"),
    Get("ReasonCode?category=NOT_READY&code=32762", "ReasonCode"),
    Get("ReasonCode?category=NOT_READY&code=4711", "ApiErrors", 404),
    Get("ReasonCode?category=NONSENSE&code=1", "ApiErrors", 400),
    Get("ReasonCode?category=LOGOUT", "ApiErrors", 400),
    Get("ReasonCodes?category=ALL", "ReasonCodes", login="dave"),
    Get("ReasonCodes?category=NOT_READY", "ReasonCodes", login="dave"),
    Get("ReasonCodes?category=LOGOUT", "ReasonCodes", login="dave"),
    Get("ReasonCodes", "ApiErrors", 400, login="dave"),
    Get("ReasonCodes?category=ALL", "ApiErrors", 401, login="carol"),
    Get("User/alice/ReasonCodes?category=NOT_READY", "ReasonCodes"),
    Get("User/alice/ReasonCodes?category=LOGOUT", "ReasonCodes"),
    Get("User/bob/ReasonCodes?category=NOT_READY", "ReasonCodes", login="dave"),
    Get("User/alice/ReasonCodes", "ApiErrors", 400),
    Get("User/bob/ReasonCodes?category=NOT_READY", "ApiErrors", 401),
    Get("User/nobody/ReasonCodes?category=NOT_READY", "ApiErrors", 404, login="dave"),
    Get("User/alice/ReasonCode/{Coaching}", "ReasonCode"),
    Get("User/alice/ReasonCode/{Filing}", "ApiErrors", 404),
    Get("Team/{chat}/ReasonCodes?category=NOT_READY", "ReasonCodes", login="dave"),
    Get("Team/{chat}/ReasonCodes?category=LOGOUT", "ReasonCodes", login="dave"),
    Get("Team/{chat}/ReasonCodes", "ApiErrors", 400, login="dave"),
    Get("Team/{chat}/ReasonCodes?category=NOT_READY", "ApiErrors", 401),
    Get("TeamResource/{chat}/ReasonCodes?category=NOT_READY", "ReasonCodes"),
    Get("TeamResource/{chat}/ReasonCodes?category=LOGOUT", "ReasonCodes", login="carol"),
    Get("TeamResource/{chat}/ReasonCodes?category=LOGOUT", "ApiErrors", 401, login="bob"),
    Get("SystemInfo", "SystemInfo", login=None),
    Get("SystemInfo/?nocache=1", "SystemInfo"),
    Get("Nonsense/1", "ApiErrors", 404),
    Get("Nonsense/%0a", "ApiErrors", 404),
    Get("", "ApiErrors", 404),
]


def reason(pk: int) -> str:
    return f"<reasonCodeId>{pk}</reasonCodeId>"


@dataclass
class Place:
    """The cast with all that a GET can show of it."""

    api: API
    ids: dict[str, int]
    settle: Callable[[], list[Notification]]

    def get(self, get: Get) -> Any:
        return self.api.request("GET", get.path.format_map(self.ids), login=get.login)

    def work(self) -> list[Notification]:
        """Sign in, work and have lunch: Media and desktops in all kinds of states."""
        lunch, end_of_shift = self.ids["Lunch"], self.ids["End of shift"]
        for response in (
            self.api.put(LOGIN, mrd=5000, requestId="r-1"),
            self.api.state("READY", mrd=5000),
            self.api.put(LOGIN, mrd=5000, requestId="r-2"),
            self.api.put(LOGIN, mrd=5001),
            self.api.state("NOT_READY", lunch, mrd=5001),
            self.api.state("READY", mrd=5002, requestId="r-3"),
            self.api.put("<Media><routable>false</routable></Media>", mrd=5000),
            self.api.put("<Media><routable>false</routable></Media>", mrd=5000),
            self.desktop("alice", "<state>LOGIN</state><extension>1001</extension>"),
            self.desktop("alice", "<state>NOT_READY</state>" + reason(lunch)),
            self.desktop("carol", "<state>LOGIN</state><extension>2001</extension>"),
            self.desktop("carol", "<state>READY</state>"),
            self.desktop("carol", "<state>NOT_READY</state>" + reason(lunch)),
            self.desktop("carol", "<state>LOGOUT</state>" + reason(end_of_shift)),
            self.desktop("bob", "<state>LOGIN</state><extension>1002</extension>"),
            self.desktop("bob", "<state>READY</state>", login="dave"),
        ):
            assert response.status_code == 202, response.content
        return self.settle()

    def desktop(self, user: str, children: str, login: str | None = None) -> Any:
        body = f"<User>{children}</User>"
        return self.api.request("PUT", f"User/{user}", body, login=login or user)


@pytest.fixture
def place(
    api: API,
    cast: Cast,
    codes: dict[str, ReasonCode],
    settle: Callable[[], list[Notification]],
) -> Place:
    Team.objects.create(name="Empty")
    MediaRoutingDomain.objects.filter(pk=5001).update(description="Mails <&> more")
    teams = {team.name.lower(): team.pk for team in Team.objects.all()}
    return Place(api, teams | {label: code.pk for label, code in codes.items()}, settle)


def described(response: Any) -> str:
    """The root of an answer that is as the schema says."""
    text = response.getvalue()
    assert faults(text) == [], text.decode()
    return fromstring(text).tag


@pytest.mark.parametrize("get", GETS, ids=str)
def test_the_answer_is_valid_before_and_after_all_have_signed_in(place: Place, get: Get) -> None:
    response = place.get(get)
    assert (response.status_code, described(response)) == (get.status, get.root)
    place.work()
    response = place.get(get)
    assert (response.status_code, described(response)) == (get.status, get.root)


@pytest.mark.parametrize("state", State)
def test_a_media_is_valid_in_every_state(place: Place, state: State) -> None:
    place.api.put(LOGIN, mrd=5000)
    place.settle()
    if state is not State.LOGOUT:
        Media.objects.filter(user="alice", mrd=5000).update(state=state)
    assert described(place.get(Get("User/alice/Media/5000", "Media"))) == "Media"


def test_a_list_of_all_mrds_is_valid(place: Place, settings: Any) -> None:
    settings.FINESSE_LIST_ALL_MEDIA = True
    response = place.get(Get("User/alice/Media", "MediaList"))
    assert described(response) == "MediaList"
    assert len(fromstring(response.content)) == 3


def test_out_of_service_everything_but_system_info_is_the_printed_503(
    place: Place, settings: Any
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = -1
    for get in GETS:
        response = place.get(get)
        published = (response.status_code, described(response))
        system_info = get.path.startswith("SystemInfo")
        assert published == ((200, "SystemInfo") if system_info else (503, "ApiErrors")), get


def test_every_error_of_the_table_is_valid(db: None) -> None:
    for row in errors.TABLE.values():
        names = re.findall(r"{(\w+)}", row.message + row.data)
        error = row(**dict.fromkeys(names, "x"))
        for media in (None, "5001"):
            if media is None or "ErrorMedia" in row.elements:
                assert faults(render(error.body(media=media))) == []


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern with its whole route, written as Django writes the route of a match."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^" if prefix else "")
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        else:
            yield route, pattern


def test_every_get_of_the_api_is_among_those_above() -> None:
    readable = {
        route
        for route, pattern in patterns(get_resolver())
        if "finesse/api/" in route and hasattr(pattern.callback.view_class, "get")  # type: ignore[union-attr]
    }
    assert len(readable) > 10
    numbers = re.compile(r"{[^}]+}")
    tested = {
        resolve("/finesse/api/" + numbers.sub("1", get.path).partition("?")[0]).route
        for get in GETS
        if get.status == 200
    }
    assert readable - tested == set()


# --- every notification -------------------------------------------------------------------------


def test_every_notification_is_a_valid_update(place: Place, cast: Cast, settings: Any) -> None:
    published = place.work()
    # Supervisors, and administrators: users, teams, members and MRDs.
    assert place.desktop("alice", "<state>LOGOUT</state>", login="carol").status_code == 202
    published += place.settle()
    cast.alice.first_name = "Alicia <&>"
    cast.alice.save()
    cast.bob.team = cast.alice.team
    cast.bob.save()
    new = User.objects.create_user("erin", first_name="Erin")
    new.is_supervisor = True
    new.save()
    member = Media.objects.create(user=new, mrd_id=5000)
    mrd = MediaRoutingDomain.objects.get(pk=5000)
    mrd.description = "Chat]]>"
    mrd.save()
    member.delete()
    new.delete()
    mrd.delete()
    published += place.settle()
    settings.FINESSE_HEARTBEAT_SECONDS = -1
    publish_status(Status.OUT_OF_SERVICE)
    settings.FINESSE_HEARTBEAT_SECONDS = 5
    settings.FINESSE_XMPP_DOMAIN = "finesse.example"
    publish_status(Status.IN_SERVICE)
    published += place.settle()
    for notification in published:
        assert faults(notification.update) == [], notification.update
    assert {kind(fromstring(one.update)) for one in published} == {
        "PUT Media",
        "POST Media",
        "DELETE Media",
        "PUT apiErrors",
        "PUT user",
        "POST user",
        "POST users",
        "DELETE users",
        "DELETE nothing",
        "PUT systemInfo",
        "POST ReasonCode",
    }


def kind(update: Element) -> str:
    data = update.find("data")
    return f"{update.findtext('event')} {'nothing' if data is None else data[0].tag}"
