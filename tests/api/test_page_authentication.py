"""The API for the scripts of our own pages: by the browser's session and the page's token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from finesse.presence import stamps
from finesse.users import lockout
from finesse.users.models import BrowserSession, User
from finesse.users.sessions import _noted
from tests.conftest import LOGIN, PASSWORD, Cast, ServedHandler, basic, error_of

pytestmark = pytest.mark.usefixtures("in_service")

OWN = "/finesse/api/User/alice/Media/5001"
READ = "/finesse/api/User/alice"


class Page:
    """A browser with a page of ours, which sends what the page's scripts send."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        # The API's own chain of middlewares, and no favour of Django's for tests.
        handler = ServedHandler(enforce_csrf_checks=True)
        handler.load_middleware()
        self.client.handler = handler

    @property
    def token(self) -> str:
        return self.client.cookies["csrftoken"].value

    def sign_in(self, login_id: str = "alice", password: str = PASSWORD) -> "Page":
        self.client.get("/login/")
        form = {"username": login_id, "password": password, "csrfmiddlewaretoken": self.token}
        assert self.client.post("/login/", form).status_code == 302
        # It has a form to sign out, and with it the token.
        assert self.client.get("/account/").status_code == 200
        return self

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Any:
        """Without the token, unless `headers` have it."""
        return self.client.generic(
            method, path, body, "application/xml", headers=headers, REMOTE_ADDR="127.0.0.1"
        )

    def put(self, body: str = LOGIN, path: str = OWN, **headers: str) -> Any:
        return self.ask("PUT", path, body, **{"X-CSRFToken": self.token, **headers})


@pytest.fixture
def page(cast: Cast) -> Page:
    return Page().sign_in()


def test_a_page_changes_its_users_own_state_and_gets_its_request_id_back(
    page: Page, settle: Callable[[], Any]
) -> None:
    answer = page.put(requestId="r-1")
    assert (answer.status_code, answer.content, answer["requestId"]) == (202, b"", "r-1")
    settle()
    shown = page.ask("GET", OWN, **{"X-CSRFToken": page.token})
    assert shown.status_code == 200
    assert b"<state>NOT_READY</state>" in shown.content


def test_a_page_changes_nobody_elses_state(page: Page) -> None:
    answer = page.put(path="/finesse/api/User/bob/Media/5002")
    assert answer.status_code == 401
    assert error_of(answer)["ErrorType"] == "Invalid Authorization User Specified"


def test_a_page_has_the_rights_of_its_user(cast: Cast, settle: Callable[[], Any]) -> None:
    page = Page().sign_in("carol")
    answer = page.put("<User><state>READY</state></User>", "/finesse/api/User/bob")
    assert error_of(answer)["ErrorType"] == "Invalid Supervisor"
    answer = page.ask("GET", READ, **{"X-CSRFToken": page.token})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("token", [None, "", "x" * 32, "y" * 64, "é"])
def test_a_change_without_the_pages_token_is_forbidden(
    page: Page, method: str, token: str | None
) -> None:
    headers = {} if token is None else {"X-CSRFToken": token}
    answer = page.ask(method, OWN, LOGIN, requestId="r-2", **headers)
    assert answer.status_code == 403
    assert error_of(answer) == {
        "ErrorData": "X-CSRFToken",
        "ErrorMessage": "The X-CSRFToken header is missing or wrong, or the request comes from "
        "another site",
        "ErrorType": "Forbidden",
    }
    assert answer["requestId"] == "r-2"


def test_the_token_counts_in_the_header_alone(page: Page) -> None:
    """A form of another site could have it in its body, if it knew it."""
    answer = page.client.post(
        "/finesse/api/User/alice/ClientLog", {"csrfmiddlewaretoken": page.token}
    )
    assert answer.status_code == 403


def test_a_token_without_its_cookie_is_forbidden(page: Page) -> None:
    token = page.token
    del page.client.cookies["csrftoken"]
    assert page.ask("PUT", OWN, LOGIN, **{"X-CSRFToken": token}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver:81"])
def test_the_right_token_from_another_origin_is_forbidden(page: Page, origin: str) -> None:
    """A sibling domain may set cookies, the token's included."""
    assert page.put(Origin=origin).status_code == 403


def test_the_right_token_from_our_own_origin_is_accepted(page: Page) -> None:
    assert page.put(Origin="http://testserver").status_code == 202


def test_over_tls_the_referer_stands_for_a_missing_origin(page: Page) -> None:
    def ask(**more: Any) -> int:
        headers = {"X-CSRFToken": page.token, **more}
        return page.client.get(READ, headers=headers, secure=True).status_code

    assert ask() == 403
    assert ask(Referer="https://evil.example/") == 403
    assert ask(Referer="https://testserver/") == 200


def test_an_allowed_origin_of_cors_cannot_use_somebodys_session(page: Page, settings: Any) -> None:
    """The gadget's page there sends its own Authorization; the cookie alone opens nothing."""
    settings.CORS_ALLOWED_ORIGINS = ["https://gadgets.example"]
    settings.FINESSE_API_MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
    page.client.handler.load_middleware()
    foreign = {"Origin": "https://gadgets.example"}
    preflight = page.ask(
        "OPTIONS",
        OWN,
        **foreign,
        **{
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "x-csrftoken",
        },
    )
    assert "csrf" not in preflight["Access-Control-Allow-Headers"].lower()
    assert page.put(**foreign).status_code == 403
    assert page.ask("GET", READ, **foreign).status_code == 401
    asked = page.ask("GET", READ, **foreign, **{"X-CSRFToken": page.token})
    assert asked.status_code == 403


def test_an_address_that_is_typed_asks_for_a_password_as_ever(page: Page) -> None:
    answer = page.ask("GET", READ)
    assert answer.status_code == 401
    assert error_of(answer)["ErrorType"] == "Authentication Failure"
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_without_a_session_it_is_the_401_of_ever(cast: Cast) -> None:
    answer = Page().ask("PUT", OWN, LOGIN)
    assert answer.status_code == 401
    assert error_of(answer) == {
        "ErrorData": "",
        "ErrorMessage": "UNAUTHORIZED",
        "ErrorType": "Authentication Failure",
    }
    assert answer["WWW-Authenticate"].startswith("Basic ")


def sign_out(page: Page) -> None:
    """In another tab, whose answer has not come yet: the cookie is still there."""
    key = page.client.cookies["sessionid"].value
    page.client.post("/logout/", {"csrfmiddlewaretoken": page.token})
    page.client.cookies["sessionid"] = key


def end_all_sessions(page: Page) -> None:
    BrowserSession.objects.all().delete()


def deactivate(page: Page) -> None:
    User.objects.filter(pk="alice").update(is_active=False)


def delete(page: Page) -> None:
    User.objects.filter(pk="alice").delete()


def ask_for_a_new_password(page: Page) -> None:
    User.objects.filter(pk="alice").update(must_change_password=True)


def change_the_password(page: Page) -> None:
    alice = User.objects.get(pk="alice")
    alice.set_password("quite another one")
    alice.save()


def send_a_cookie_that_is_none(page: Page) -> None:
    page.client.cookies["sessionid"] = "../../etc\0"


@pytest.mark.parametrize(
    "ended",
    [
        sign_out,
        end_all_sessions,
        deactivate,
        delete,
        ask_for_a_new_password,
        change_the_password,
        send_a_cookie_that_is_none,
    ],
)
def test_a_session_that_has_ended_is_a_401_without_the_browsers_dialog(
    page: Page, ended: Callable[[Page], None]
) -> None:
    assert page.put().status_code == 202
    ended(page)
    answer = page.put()
    assert answer.status_code == 401
    assert error_of(answer)["ErrorType"] == "Authentication Failure"
    assert answer["WWW-Authenticate"] == 'Session realm="Finesse"'


def test_a_session_in_which_nobody_has_signed_in_is_a_401(page: Page) -> None:
    nobody = Page()
    nobody.client.get("/login/")
    nobody.client.cookies["sessionid"] = nobody.client.session.session_key or "a" * 32
    assert nobody.put().status_code == 401


def test_an_authorization_header_counts_alone(page: Page) -> None:
    """Neither is a wrong password made good by a session, nor a right one refused for a token."""
    wrong = page.put(Authorization=basic("alice", "wrong"))
    assert (wrong.status_code, error_of(wrong)["ErrorData"]) == (401, "alice")
    assert wrong["WWW-Authenticate"].startswith("Basic ")
    odd = page.put(Authorization="Bearer of nothing")
    assert odd.status_code == 401
    of_bob = page.ask("GET", "/finesse/api/User/bob", Authorization=basic("bob"))
    assert of_bob.status_code == 200


def test_a_user_who_is_blocked_by_wrong_passwords_goes_on_where_they_are_signed_in(
    page: Page,
) -> None:
    """As on every page: others could keep agents from their work by wrong passwords."""
    for _ in range(configured.FINESSE_LOCKOUT_FAILURES):
        page.put(Authorization=basic("alice", "wrong"))
    assert lockout.standing("alice", "127.0.0.1").is_blocked
    assert page.put().status_code == 202


def test_a_refused_page_counts_as_no_wrong_password(page: Page) -> None:
    for _ in range(configured.FINESSE_LOCKOUT_FAILURES + 1):
        assert page.ask("PUT", OWN, LOGIN).status_code == 403
    assert not lockout.standing("alice", "127.0.0.1").is_blocked
    assert User.objects.get(pk="alice").sign_in_failed is False


def test_a_page_that_asks_is_a_sign_of_life(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(stamps, "heard", heard.append)
    _noted.clear()
    BrowserSession.objects.update(last_seen="2020-01-01T00:00:00Z")
    page.put()
    assert heard == ["alice"]
    assert BrowserSession.objects.get(user="alice").last_seen.year > 2020


def test_out_of_service_comes_first(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finesse.api.views.in_service", lambda: False)
    assert page.put().status_code == 503


def test_http_basic_reads_no_cookie_and_no_session(
    page: Page, django_assert_num_queries: Any
) -> None:
    """The way of every other client stays as short as it was."""
    page.ask("GET", OWN, Authorization=basic("alice"))
    with django_assert_num_queries(2) as queries:
        page.ask("GET", OWN, Authorization=basic("alice"))
    assert not any("session" in query["sql"] for query in queries.captured_queries)
