"""PUT /finesse/api/User/<id>/Media/<mrdId>: the immediate answers [seed]."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.backends.utils import CursorWrapper

from finesse.users.models import Team
from media.models import Media, MediaRequest
from media.writing import acceptance
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, error_of

pytestmark = pytest.mark.usefixtures("cast")

REQUIRED = {
    "ErrorData": "finesse.api.reasoncode.require_reasoncode",
    "ErrorMedia": "5001",
    "ErrorMessage": "The state change requires a valid reason code.",
    "ErrorType": "Parameter Missing",
}
NOT_ALLOWED = {
    "ErrorData": "finesse.api.reasoncode.not_allowed",
    "ErrorMedia": "5001",
    "ErrorMessage": "For this operation, Reason Codes are not allowed.",
    "ErrorType": "Invalid Input",
}
INVALID_CODE = "finesse.api.reasoncode.not_valid"


def accepted(response: Any) -> MediaRequest:
    """The one request that the 202 has left behind."""
    assert (response.status_code, response.content) == (202, b""), response.content
    return MediaRequest.objects.get()


def refused(response: Any, status: int) -> dict[str, str]:
    assert response.status_code == status, response.content
    assert not MediaRequest.objects.exists()
    return error_of(response)


def test_the_seeds_request_is_accepted_with_its_request_id(
    api: API, codes: dict[str, ReasonCode]
) -> None:
    response = api.state("NOT_READY", codes["Lunch"].pk, requestId="r-1")
    request = accepted(response)
    assert response["requestId"] == "r-1"
    assert response["Content-Length"] == "0"
    assert (request.login_id, request.mrd_id, request.requested) == ("alice", 5001, "NOT_READY")
    assert (request.reason_code, request.request_id) == (codes["Lunch"], "r-1")
    assert (request.cause, request.actor, request.outcome) == ("self", "alice", None)


def test_the_state_has_not_changed_when_the_request_is_accepted(api: API) -> None:
    accepted(api.put(LOGIN))
    assert Media.objects.get(user="alice", mrd=5001).state == "LOGOUT"


# --- sign in ------------------------------------------------------------------------------------


def test_signing_in_takes_the_three_options(api: API) -> None:
    request = accepted(
        api.put(
            "<Media><maxDialogLimit>10</maxDialogLimit><state>LOGIN</state>"
            "<interruptAction>IGNORE</interruptAction>"
            "<dialogLogoutAction>TRANSFER</dialogLogoutAction></Media>"
        )
    )
    assert request.max_dialog_limit == 10
    assert (request.interrupt_action, request.dialog_logout_action) == ("IGNORE", "TRANSFER")


def test_dialog_logout_action_is_close_unless_given(api: API) -> None:
    assert accepted(api.put(LOGIN)).dialog_logout_action == "CLOSE"


@pytest.mark.parametrize("missing", ["maxDialogLimit", "interruptAction"])
@pytest.mark.parametrize("form", ["", "<{0}></{0}>", "<{0}/>"])
def test_an_option_that_signing_in_needs_and_lacks_is_named(
    api: API, missing: str, form: str
) -> None:
    body = re.sub(rf"<{missing}>.*</{missing}>", form.format(missing), LOGIN)
    error = refused(api.put(body), 400)
    assert (error["ErrorType"], error["ErrorData"]) == ("Parameter Missing", missing)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("maxDialogLimit", "0"),
        ("maxDialogLimit", "11"),
        ("maxDialogLimit", "-1"),
        ("maxDialogLimit", "1.0"),
        ("maxDialogLimit", "ten"),
        ("maxDialogLimit", "٣"),
        ("maxDialogLimit", "99999999999999999999999"),
        ("interruptAction", "accept"),
        ("interruptAction", "MAYBE"),
        ("dialogLogoutAction", "close"),
        ("dialogLogoutAction", "DROP"),
    ],
)
def test_an_option_with_a_value_that_it_cannot_have_is_named(
    api: API, option: str, value: str
) -> None:
    body = LOGIN.replace("</Media>", f"<{option}>{value}</{option}></Media>")
    error = refused(api.put(body), 400)
    assert (error["ErrorType"], error["ErrorData"]) == ("Invalid Input", option)


# --- the state ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["<Media></Media>", "<Media/>", "<Media><state/></Media>"])
def test_a_missing_state_is_named_as_printed(api: API, body: str) -> None:
    assert refused(api.put(body), 400) == {
        "ErrorData": "state",
        "ErrorMedia": "5001",
        "ErrorMessage": "State Parameter missing",
        "ErrorType": "Parameter Missing",
    }


@pytest.mark.parametrize(
    "state", ["ready", "Ready", "ACTIVE", "WORK", "RESERVED", "LOGGED_IN", "READY READY", "<a/>"]
)
def test_a_state_that_cannot_be_asked_for_is_refused_as_printed(api: API, state: str) -> None:
    assert refused(api.state(state), 400) == {
        "ErrorData": "state",
        "ErrorMedia": "5001",
        "ErrorMessage": "Invalid State specified for user",
        "ErrorType": "Invalid Input",
    }


@pytest.mark.parametrize("state", ["RESERVED", "ACTIVE", "PAUSED", "WORK_READY", "INTERRUPTED"])
def test_ready_is_refused_at_once_while_tasks_decide(api: API, state: str) -> None:
    Media.objects.filter(user="alice").update(
        state=state, max_dialog_limit=1, interrupt_action="ACCEPT", dialog_logout_action="CLOSE"
    )
    assert refused(api.state("READY"), 400)["ErrorData"] == "state"


# --- reason codes -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["NOT_READY", "LOGOUT"])
@pytest.mark.usefixtures("codes")
def test_a_reason_is_required_where_codes_are_configured(api: API, state: str) -> None:
    assert refused(api.state(state), 400) == REQUIRED


NO_REASON = ["<reasonCodeId/>", "<reasonCodeId> </reasonCodeId>"]
NO_REASON += [f"<reasonCodeId>{none}</reasonCodeId>" for none in ("0", "-1", " -1\n")]


@pytest.mark.parametrize("reason", NO_REASON)
@pytest.mark.usefixtures("codes")
def test_an_empty_reason_0_and_minus_1_are_no_reason(api: API, reason: str) -> None:
    for state in ("NOT_READY", "LOGOUT"):
        body = f"<Media><state>{state}</state>{reason}</Media>"
        assert refused(api.put(body), 400) == REQUIRED
    assert accepted(api.put(f"<Media><state>READY</state>{reason}</Media>")).reason_code is None


@pytest.mark.parametrize("reason", NO_REASON)
def test_no_reason_is_taken_where_no_codes_are_configured(api: API, reason: str) -> None:
    body = f"<Media><state>NOT_READY</state>{reason}</Media>"
    assert accepted(api.put(body)).reason_code is None


@pytest.mark.parametrize("reason", NO_REASON)
@pytest.mark.usefixtures("codes")
def test_no_reason_is_none_in_a_list_and_with_a_mode_too(api: API, reason: str) -> None:
    one = f"<Media><id>5001</id><state>READY</state>{reason}</Media>"
    other = f"<Media><id>5000</id><routable>true</routable>{reason}</Media>"
    response = api.request("PUT", "User/alice/Media", f"<MediaList>{one}{other}</MediaList>")
    assert response.status_code == 202
    assert list(MediaRequest.objects.values_list("reason_code", flat=True)) == [None, None]


@pytest.mark.parametrize("state", ["NOT_READY", "LOGOUT"])
def test_no_reason_is_required_where_no_codes_are_configured(api: API, state: str) -> None:
    assert accepted(api.state(state)).reason_code is None


def test_codes_of_another_team_retired_and_system_codes_do_not_make_a_reason_required(
    api: API, cast: Cast
) -> None:
    ReasonCode.objects.create(category="NOT_READY", code=1, label="Retired", retired=True)
    ReasonCode.objects.create(category="NOT_READY", code=2, label="System", system_code=True)
    other = ReasonCode.objects.create(category="NOT_READY", code=3, label="Other", for_all=False)
    other.teams.add(Team.objects.get(name="Back office"))
    accepted(api.state("NOT_READY"))


def test_a_code_of_the_users_team_may_be_chosen(api: API, codes: dict[str, ReasonCode]) -> None:
    assert accepted(api.state("NOT_READY", codes["Coaching"].pk)).reason_code == codes["Coaching"]


@pytest.mark.parametrize("label", ["Filing", "End of shift"])
def test_codes_of_another_team_or_category_are_refused(
    api: API, codes: dict[str, ReasonCode], label: str
) -> None:
    assert refused(api.state("NOT_READY", codes[label].pk), 400) == {
        "ErrorData": "finesse.api.reasoncode.not_valid",
        "ErrorMedia": "5001",
        "ErrorMessage": "The Reason Code specified in the request does not exist",
        "ErrorType": "Invalid Input",
    }


@pytest.mark.parametrize("field", ["retired", "system_code"])
def test_retired_and_system_codes_are_refused(
    api: API, codes: dict[str, ReasonCode], field: str
) -> None:
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(**{field: True})
    assert refused(api.state("NOT_READY", codes["Lunch"].pk), 400)["ErrorData"] == INVALID_CODE


@pytest.mark.parametrize(
    "reason",
    ["999999", "abc", "1.0", "-2", "00", "-01", "+1", "1 1", "²", "9" * 30, "0x1", "<a/>"],
)
@pytest.mark.usefixtures("codes")
def test_an_unknown_id_is_refused(api: API, reason: str) -> None:
    error = refused(api.state("NOT_READY", reason), 400)
    assert (error["ErrorType"], error["ErrorData"]) == ("Invalid Input", INVALID_CODE)


def test_a_leading_zero_makes_it_another_id(api: API, codes: dict[str, ReasonCode]) -> None:
    assert (
        refused(api.state("NOT_READY", f"00{codes['Lunch'].pk}"), 400)["ErrorData"] == INVALID_CODE
    )


@pytest.mark.parametrize("body", ["<Media><state>READY</state>", LOGIN.removesuffix("</Media>")])
def test_ready_and_login_take_no_reason(api: API, codes: dict[str, ReasonCode], body: str) -> None:
    body += f"<reasonCodeId>{codes['Lunch'].pk}</reasonCodeId></Media>"
    assert refused(api.put(body), 400) == NOT_ALLOWED


# --- the body -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "state=READY",
        '{"state": "READY"}',
        "<Media><state>READY</state>",
        "<Media><state>NOT_READY</state><reasonCodeId>1001</reaasonCodeId></Media>",
        "<User><state>READY</state></User>",
        "<media><state>READY</state></media>",
        "<!DOCTYPE Media><Media><state>READY</state></Media>",
        "<a>" * 5000,
        "<Media><state>READY\x01</state></Media>",
        "<?xml version='1.0' encoding='utf-16'?><Media><state>READY</state></Media>",
        "<Media><state>READY</state></Media>".encode("utf-16"),
        b"<Media><state>\xff</state></Media>",
    ],
)
def test_a_body_that_is_not_a_media_document_is_a_bad_request(api: API, body: str | bytes) -> None:
    error = refused(api.put(body), 400)
    assert (error["ErrorType"], error["ErrorMedia"]) == ("Bad Request", "5001")


def test_a_body_over_64_kib_is_a_bad_request_and_one_of_64_kib_is_not(api: API) -> None:
    document = "<Media><state>READY</state><x>{}</x></Media>"
    room = 64 * 1024 - len(document.format(""))
    assert "65536" in refused(api.put(document.format("x" * (room + 1))), 400)["ErrorMessage"]
    accepted(api.put(document.format("x" * room)))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml",
        "Application/XML",
        "text/xml",
        "TEXT/XML; charset=UTF-8",
        "application/xml; charset=ISO-8859-1",
        "application/xml;charset=utf8",
        'text/xml; charset="Windows-1252"',
        "application/x+xml",
        "",
    ],
)
def test_content_types_are_taken_as_real_clients_send_them(api: API, content_type: str) -> None:
    accepted(api.put(LOGIN, content_type=content_type))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/xml; charset=utf-7",
        "application/xml; charset=utf-16",
    ],
)
def test_other_content_types_and_charsets_are_a_bad_request(api: API, content_type: str) -> None:
    assert refused(api.put(LOGIN, content_type=content_type), 400)["ErrorType"] == "Bad Request"


def test_unknown_elements_order_and_query_parameters_do_not_matter(api: API) -> None:
    body = "<Media><z><y>1</y></z><state>READY</state><uri>/x</uri></Media>"
    accepted(api.request("PUT", "User/alice/Media/5001?nocache=1&x=%ff", body))


def test_of_a_repeated_state_the_last_one_counts(api: API) -> None:
    body = "<Media><state>NONSENSE</state><state>READY</state></Media>"
    assert accepted(api.put(body)).requested == "READY"


# --- where to ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mrd", ["4711", "abc", "05001", "-1", "0", "5001.0", "9" * 40, "5001%00", "٥"]
)
def test_an_unknown_mrd_is_not_found(api: API, mrd: str) -> None:
    error = refused(api.put(LOGIN, mrd=mrd), 404)
    assert error["ErrorType"] == "Not Found"
    assert "ErrorMedia" in error


def test_a_trailing_slash_is_the_same_address(api: API) -> None:
    accepted(api.request("PUT", "User/alice/Media/5001/", LOGIN))


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_other_methods_are_refused_with_the_list_of_allowed_ones(api: API, method: str) -> None:
    response = api.request(method, "User/alice/Media/5001", LOGIN, requestId="r-5")
    assert refused(response, 405)["ErrorType"] == "Method Not Allowed"
    assert {"GET", "PUT"} <= set(response["Allow"].split(", "))
    assert response["requestId"] == "r-5"


@pytest.mark.parametrize("login", ["alice", "carol", "dave"])
def test_no_user_acts_on_anothers_media_not_even_supervisor_or_administrator(
    api: API, login: str
) -> None:
    response = api.put(LOGIN, user="bob", mrd=5002, login=login)
    assert refused(response, 401) == {
        "ErrorData": login,
        "ErrorMessage": (
            "The user specified in the authentication credentials and the uri don't match"
        ),
        "ErrorType": "Invalid Authorization User Specified",
    }


def test_an_unknown_user_looks_like_another_user(api: API) -> None:
    known = api.put(LOGIN, user="bob", mrd=5002)
    unknown = api.put(LOGIN, user="nobody", mrd=5002)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_an_unknown_path_under_the_api_is_not_found_in_the_protocols_form(api: API) -> None:
    response = api.request("PUT", "Nonsense/1", LOGIN, requestId="r-6")
    assert refused(response, 404)["ErrorType"] == "Not Found"
    assert response["requestId"] == "r-6"


# --- the order of the checks --------------------------------------------------------------------


def test_the_checks_come_in_the_documented_order(api: API, settings: Any) -> None:
    """Each request is wrong in every way that comes later, too."""
    broken = {"body": "<oops", "user": "bob", "mrd": 4711}
    settings.FINESSE_HEARTBEAT_SECONDS = -1
    assert refused(api.put(**broken, login=None), 503)
    settings.FINESSE_HEARTBEAT_SECONDS = 5
    assert refused(api.put(**broken, login=None), 401)["ErrorType"] == "Authentication Failure"
    assert refused(api.put(**broken), 401)["ErrorType"] == "Invalid Authorization User Specified"
    assert refused(api.put("<oops", mrd=4711), 404)["ErrorType"] == "Not Found"
    assert refused(api.put("<oops"), 400)["ErrorType"] == "Bad Request"
    no_state = "<Media><reasonCodeId>x</reasonCodeId></Media>"
    assert refused(api.put(no_state), 400)["ErrorType"] == "Parameter Missing"
    assert refused(api.state("NONSENSE", "x"), 400)["ErrorData"] == "state"
    assert refused(api.state("NOT_READY", "x"), 400)["ErrorData"] == INVALID_CODE


# --- requestId ----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [LOGIN, "<oops", "<Media/>"])
@pytest.mark.parametrize("login", ["alice", None])
def test_the_request_id_is_echoed_on_success_and_on_errors(
    api: API, body: str, login: str | None
) -> None:
    assert api.put(body, login=login, requestId="a b/ü".replace("ü", "u"))["requestId"] == "a b/u"


@pytest.mark.parametrize("request_id", ["x" * 256, "a\tb", "é"])
def test_a_request_id_that_cannot_be_echoed_is_dropped_and_the_request_goes_on(
    api: API, request_id: str
) -> None:
    response = api.put(LOGIN, requestId=request_id)
    assert "requestId" not in response
    assert accepted(response).request_id == ""


def test_without_a_request_id_none_is_echoed(api: API) -> None:
    assert "requestId" not in api.put(LOGIN)


def test_a_get_does_not_echo_the_request_id(api: API) -> None:
    assert "requestId" not in api.get(requestId="r-7")


# --- what goes wrong inside ---------------------------------------------------------------------


def test_an_unforeseen_error_is_answered_without_its_trace(
    api: API, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("media.api.views.read_requested", explode)
    response = api.put(LOGIN, requestId="r-8")
    assert refused(response, 500) == {
        "ErrorData": "",
        "ErrorMedia": "5001",
        "ErrorMessage": "RUNTIME_EXCEPTION",
        "ErrorType": "Internal Server Error",
    }
    assert response["requestId"] == "r-8"
    assert "secret detail" in caplog.text


def test_a_code_that_is_deleted_while_it_is_chosen_is_not_valid(
    api: API, codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("no such reason code")

    monkeypatch.setattr(acceptance, "_INSERT", gone)
    assert refused(api.state("NOT_READY", codes["Lunch"].pk), 400)["ErrorData"] == INVALID_CODE


def test_a_bell_that_does_not_ring_does_not_unmake_the_202(
    api: API, monkeypatch: pytest.MonkeyPatch, settle: Callable[[], list[Any]]
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the broker is away")

    monkeypatch.setattr("media.writing.bell._send", explode)
    accepted(api.put(LOGIN))
    settle()
    assert Media.objects.get(user="alice", mrd=5001).state == "NOT_READY"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Prepared on PostgreSQL alone")
@pytest.mark.parametrize("is_prepared", [True, False], ids=["prepared", "cursors"])
def test_a_request_is_applied_and_shown_whatever_executes_its_statements(
    api: API,
    settle: Callable[[], Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    is_prepared: bool,
) -> None:
    settings.FINESSE_PREPARED_STATEMENTS = is_prepared
    seen: list[str] = []
    execute = CursorWrapper.execute

    def see(cursor: Any, sql: str, params: Any = None) -> Any:
        seen.append(sql)
        return execute(cursor, sql, params)

    # Where tracing tools look.
    monkeypatch.setattr(CursorWrapper, "execute", see)
    assert api.put(LOGIN).status_code == 202
    accepting = [sql for sql in seen if sql.startswith("INSERT INTO")]
    assert len(accepting) == (0 if is_prepared else 1)
    settle()
    assert b"<state>NOT_READY</state>" in api.get().content
