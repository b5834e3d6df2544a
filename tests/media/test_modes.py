"""Routable or not, back from WORK, and several Media at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications.models import Notification
from media.api import views
from media.models import Media, MediaRequest
from media.states import Requested
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, error_of, outcomes, update_of

pytestmark = pytest.mark.usefixtures("cast")
Settle = Callable[[], list[Notification]]


def routable(value: str) -> str:
    return f"<Media><routable>{value}</routable></Media>"


def media_list(*media: str) -> str:
    return f"<MediaList>{''.join(f'<Media>{one}</Media>' for one in media)}</MediaList>"


@pytest.fixture
def signed_in(cast: Cast, api: API, settle: Settle) -> None:
    api.put(LOGIN)
    settle()


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("word", "value"), [("false", False), ("False", False)])
def test_an_agent_is_made_not_routable_without_a_change_of_state(
    api: API, settle: Settle, word: str, value: bool
) -> None:
    before = Media.objects.get(user="alice", mrd=5001)
    response = api.put(routable(word), requestId="r-1")
    assert (response.status_code, response.content, response["requestId"]) == (202, b"", "r-1")
    (published,) = settle()
    media = Media.objects.get(user="alice", mrd=5001)
    assert media.routable is value
    assert (media.state, media.state_change_time) == (before.state, before.state_change_time)
    assert update_of(published).findtext("data/Media/routable") == str(value).lower()


@pytest.mark.usefixtures("signed_in")
def test_the_same_mode_again_ends_in_the_documented_error(api: API, settle: Settle) -> None:
    assert api.put(routable("true"), requestId="again").status_code == 202
    (published,) = settle()
    error = update_of(published).find("data/apiErrors/apiError")
    assert error is not None
    assert [(child.tag, child.text) for child in error] == [
        ("errorData", "1"),
        ("errorMedia", "5001"),
        ("errorMessage", "E_ARM_STAT_ALREADY_IN_REQUESTED_AGENT_MODE"),
        ("errorType", "Agent already in requested mode"),
    ]
    assert update_of(published).findtext("requestId") == "again"


def test_a_signed_out_media_has_no_mode(api: API, settle: Settle) -> None:
    assert api.put(routable("true")).status_code == 202
    settle()
    assert outcomes() == [("ROUTABLE", "error", "E_ARM_STAT_AGENT_NOT_LOGGED_IN")]


@pytest.mark.parametrize(
    ("body", "error_type", "data"),
    [
        (routable("yes"), "Invalid Input", "routable"),
        (routable("1"), "Invalid Input", "routable"),
        (routable("<a/>"), "Invalid Input", "routable"),
        (routable(""), "Parameter Missing", "routable"),
        ("<Media></Media>", "Parameter Missing", "state"),
        (
            "<Media><routable>true</routable><state>READY</state></Media>",
            "Invalid Input",
            "routable",
        ),
        (
            "<Media><routable>true</routable><reasonCodeId>1</reasonCodeId></Media>",
            "Invalid Input",
            "finesse.api.reasoncode.not_allowed",
        ),
    ],
)
def test_a_mode_that_is_none_is_refused(api: API, body: str, error_type: str, data: str) -> None:
    response = api.put(body)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["ErrorType"], error["ErrorData"]) == (error_type, data)
    assert error["ErrorMedia"] == "5001"
    assert not MediaRequest.objects.exists()


def lose_the_connection() -> None:
    """As the system does when it notices."""
    MediaRequest.objects.create(
        login_id="alice",
        mrd_id=5001,
        requested=Requested.CONNECTION_LOST,
        cause="system",
        accepted_at=timezone.now(),
    )


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("state", ["READY", "NOT_READY"])
def test_active_leads_back_from_work_to_where_the_agent_was(
    api: API, settle: Settle, state: str
) -> None:
    api.state(state)
    lose_the_connection()
    work = update_of(settle()[-1])
    assert work.findtext("data/Media/state") == "WORK"
    assert work.findtext("data/Media/routable") == "false"
    assert api.state("ACTIVE", requestId="back").status_code == 202
    (published,) = settle()
    assert update_of(published).findtext("data/Media/state") == state
    assert update_of(published).findtext("data/Media/routable") == "true"
    assert Media.objects.get(user="alice", mrd=5001).resume == ""


@pytest.mark.usefixtures("signed_in")
def test_active_is_not_refused_if_the_connection_was_lost_just_now(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = views._STATE.first
    states = []

    def read_just_before_the_writer(**values: Any) -> Any:
        states.append(read(**values))
        settle()
        return states[-1]

    monkeypatch.setattr(views._STATE, "first", read_just_before_the_writer)
    lose_the_connection()
    assert api.state("ACTIVE").status_code == 202
    assert states == ["NOT_READY"]
    settle()
    assert Media.objects.get(user="alice", mrd=5001).state == "NOT_READY"
    assert api.state("ACTIVE").status_code == 400


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("before", ["READY", "NOT_READY"])
def test_not_ready_with_a_reason_leads_out_of_work(
    api: API, settle: Settle, codes: dict[str, ReasonCode], before: str
) -> None:
    api.state(before, codes["Lunch"].pk if before == "NOT_READY" else None)
    lose_the_connection()
    settle()
    assert api.state("NOT_READY").status_code == 400
    assert api.state("NOT_READY", codes["Lunch"].pk).status_code == 202
    (told,) = settle()
    assert update_of(told).findtext("data/Media/state") == "NOT_READY"
    assert update_of(told).findtext("data/Media/ReasonCode/label") == "Lunch"
    api.state("READY")
    (told,) = settle()
    assert update_of(told).findtext("data/Media/state") == "READY"
    assert update_of(told).findtext("data/Media/routable") == "true"


@pytest.mark.usefixtures("signed_in")
def test_a_reason_does_not_outlive_the_lost_connection(
    api: API, settle: Settle, codes: dict[str, ReasonCode]
) -> None:
    api.state("NOT_READY", codes["Lunch"].pk)
    lose_the_connection()
    settle()
    api.state("ACTIVE")
    (published,) = settle()
    assert update_of(published).findtext("data/Media/state") == "NOT_READY"
    assert update_of(published).findtext("data/Media/reasonCodeId") == "-1"


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("body", [routable("true"), "<Media><state>READY</state></Media>"])
def test_in_work_nothing_else_is_legal(api: API, settle: Settle, body: str) -> None:
    lose_the_connection()
    settle()
    response = api.put(body)
    assert response.status_code == 400
    assert error_of(response)["ErrorType"] == "Invalid Input"


def test_active_is_refused_outside_work(api: API) -> None:
    for mrd in (5001, 5002):
        response = api.state("ACTIVE", mrd=mrd)
        assert (response.status_code, error_of(response)["ErrorData"]) == (400, "state")


@pytest.mark.usefixtures("signed_in")
def test_what_waits_is_applied_before_active_is_judged(api: API, settle: Settle) -> None:
    lose_the_connection()
    assert api.state("ACTIVE").status_code == 202
    settle()
    assert outcomes()[-1] == ("ACTIVE", "changed", "")


def test_a_list_is_accepted_whole_and_each_media_has_its_outcome(api: API, settle: Settle) -> None:
    sign_in = LOGIN.removeprefix("<Media>").removesuffix("</Media>")
    body = media_list(
        f"<id>5000</id>{sign_in}",
        f"<uri>/finesse/api/User/alice/Media/5001</uri>{sign_in}",
        "<id>5000</id><state>READY</state>",
    )
    response = api.request("PUT", "User/alice/Media", body, requestId="all")
    assert (response.status_code, response.content, response["requestId"]) == (202, b"", "all")
    assert set(MediaRequest.objects.values_list("request_id", flat=True)) == {"all"}
    states = [
        (published.source[-4:], update_of(published).findtext("data/Media/state"))
        for published in settle()[-3:]
    ]
    assert states == [("5000", "NOT_READY"), ("5001", "NOT_READY"), ("5000", "READY")]


@pytest.mark.parametrize(
    ("second", "status", "error"),
    [
        ("<id>5001</id>", 400, ("5001", "Parameter Missing", "state")),
        ("<id>5001</id><state>LUNCH</state>", 400, ("5001", "Invalid Input", "state")),
        ("<id>9999</id><state>READY</state>", 404, ("9999", "Not Found", "9999")),
        ("<state>READY</state>", 400, (None, "Parameter Missing", "id")),
        (
            "<uri>/finesse/api/User/bob/Media/5002</uri><state>READY</state>",
            400,
            (None, "Invalid Input", "uri"),
        ),
    ],
)
def test_one_bad_media_refuses_the_list(
    api: API, second: str, status: int, error: tuple[str | None, str, str]
) -> None:
    body = media_list("<id>5000</id><state>READY</state>", second)
    response = api.request("PUT", "User/alice/Media", body)
    assert response.status_code == status
    published = error_of(response)
    assert (published.get("ErrorMedia"), published["ErrorType"], published["ErrorData"]) == error
    assert not MediaRequest.objects.exists()


@pytest.mark.parametrize("body", ["<MediaList/>", "<Media><state>READY</state></Media>", ""])
def test_a_list_without_media_is_a_bad_request(api: API, body: str) -> None:
    response = api.request("PUT", "User/alice/Media", body)
    assert (response.status_code, error_of(response)["ErrorType"]) == (400, "Bad Request")


def test_a_long_list_takes_no_more_queries_than_a_short_one(
    api: API, settle: Settle, django_assert_num_queries: Callable[..., Any]
) -> None:
    one = "<id>5000</id><state>READY</state>"
    api.request("PUT", "User/alice/Media", media_list(one))
    settle()
    with CaptureQueriesContext(connection) as short:
        api.request("PUT", "User/alice/Media", media_list(one, one))
    with django_assert_num_queries(len(short)):
        api.request("PUT", "User/alice/Media", media_list(*[one] * 40))


def test_a_list_has_an_end(api: API) -> None:
    one = "<id>5000</id><state>READY</state>"
    response = api.request("PUT", "User/alice/Media", media_list(*[one] * 101))
    assert (response.status_code, error_of(response)["ErrorType"]) == (400, "Bad Request")
    assert api.request("PUT", "User/alice/Media", media_list(*[one] * 100)).status_code == 202


def test_the_list_of_another_user_is_refused(api: API, cast: Cast) -> None:
    body = media_list("<id>5002</id><state>READY</state>")
    response: Any = api.request("PUT", "User/bob/Media", body)
    assert response.status_code == 401
