"""HTTP Basic with remembered passwords, and the lock-out [Client Requests], [Media—Sign In]."""

import base64
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from finesse import client_networks, wait_limit
from finesse.users import lockout, password_checks, passwords, remembered
from finesse.users.models import SignInFailures, User
from finesse.users.password_checks import QUEUE, PasswordChecksOverrunError
from tests.conftest import API, PASSWORD, Cast, error_of

pytestmark = pytest.mark.usefixtures("cast")


def failure(response: Any, user: str) -> None:
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert error_of(response) == {
        "ErrorData": user,
        "ErrorMessage": "UNAUTHORIZED",
        "ErrorType": "Authentication Failure",
    }


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password check that is really made."""
    made: list[str] = []
    real = User.check_password

    def counted(user: User, password: str) -> bool:
        made.append(user.pk)
        return real(user, password)

    monkeypatch.setattr(User, "check_password", counted)
    return made


def test_the_right_password_is_let_in(api: API) -> None:
    assert api.get().status_code == 200


def test_without_credentials_the_answer_challenges(api: API) -> None:
    failure(api.get(login=None), "")


@pytest.mark.parametrize(
    ("login", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("alice", "")]
)
def test_wrong_credentials_are_refused_with_the_name_that_was_given(
    api: API, login: str, password: str
) -> None:
    failure(api.get(login=login, password=password), login)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"al\0ice:x").decode(),
        "Bearer abc",
        "Digest username=alice",
    ],
)
def test_a_header_other_than_basic_is_refused(api: API, header: str) -> None:
    path = "/finesse/api/User/alice/Media/5001"
    failure(api.client.get(path, headers={"Authorization": header}), "")


def test_a_password_may_hold_colons_and_letters_of_any_alphabet(api: API, cast: Cast) -> None:
    cast.alice.set_password("a:b:ü日")
    cast.alice.save()
    assert api.get(password="a:b:ü日").status_code == 200


@pytest.mark.parametrize(
    ("encoding", "password"),
    [
        *(("utf-8", password) for password in ("Grüße", "ÿþ:é", "Ã¼", "café\u00a0")),
        # Not "Ã¼", whose bytes are the UTF-8 of another password.
        *(("latin-1", password) for password in ("Grüße", "ÿþ:é", "café\u00a0")),
    ],
)
def test_a_password_may_come_in_either_encoding(
    api: API, cast: Cast, encoding: str, password: str
) -> None:
    cast.alice.set_password(password)
    cast.alice.save()
    header = b"Basic " + base64.b64encode(f"alice:{password}".encode(encoding))
    path = "/finesse/api/User/alice/Media"
    assert api.client.get(path, headers={"Authorization": header.decode()}).status_code == 200
    wrong = b"Basic " + base64.b64encode(f"alice:{password}ä".encode(encoding))
    failure(api.client.get(path, headers={"Authorization": wrong.decode()}), "alice")


def test_a_name_that_is_not_utf_8_is_shown_as_iso_8859_1(api: API) -> None:
    header = "Basic " + base64.b64encode(b"\xff\xfe:x").decode()
    path = "/finesse/api/User/alice/Media/5001"
    failure(api.client.get(path, headers={"Authorization": header}), "ÿþ")


def test_the_scheme_is_compared_without_case(api: API) -> None:
    header = "bAsIc " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    response = api.client.get("/finesse/api/User/alice/Media", headers={"Authorization": header})
    assert response.status_code == 200


def test_a_verified_password_is_checked_once(api: API, checks: list[str]) -> None:
    assert [api.get().status_code for _ in range(3)] == [200, 200, 200]
    assert checks == ["alice"]


def test_a_process_that_has_met_a_password_reads_the_users_row_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    assert passwords.verify("alice", PASSWORD) == cast.alice
    monkeypatch.setattr(remembered, "cache", None)
    monkeypatch.setattr(lockout, "cache", None)
    with django_assert_num_queries(1):
        assert passwords.verify("alice", PASSWORD) == cast.alice


def test_a_new_process_uses_the_shared_cache(
    api: API, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(remembered, "_until", {})
        assert api.get().status_code == 200
    assert checks == ["alice"]


def test_a_password_that_another_process_has_verified_costs_the_users_row_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    assert passwords.verify("alice", PASSWORD) == cast.alice
    monkeypatch.setattr(remembered, "_until", {})
    with django_assert_num_queries(1):
        assert passwords.verify("alice", PASSWORD) == cast.alice


def test_a_process_remembers_a_bounded_number(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_until", {})
    monkeypatch.setattr(remembered, "MOST_REMEMBERED", 2)
    for login_id in ("alice", "bob", "carol"):
        assert passwords.verify(login_id, PASSWORD)
        assert 1 <= len(remembered._until) <= 2


def test_a_password_in_use_is_renewed_and_never_checked_again(
    api: API, checks: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The clock is handed in: forty minutes of a request every two."""
    now = 0.0
    monkeypatch.setattr(remembered, "_monotonic", lambda: now)
    for _ in range(20):
        assert api.get().status_code == 200
        now += settings.FINESSE_CREDENTIAL_CACHE_SECONDS * 0.4
    assert checks == ["alice"]


def test_a_renewal_that_the_cache_refuses_lets_in_all_the_same(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    now = 0.0
    monkeypatch.setattr(remembered, "_monotonic", lambda: now)
    assert passwords.verify("alice", PASSWORD) == cast.alice
    now += settings.FINESSE_CREDENTIAL_CACHE_SECONDS * 0.5
    monkeypatch.setattr(remembered, "cache", None)
    assert passwords.verify("alice", PASSWORD) == cast.alice


def test_passwords_cached_together_do_not_expire_together(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_until", {})
    for number in range(40):
        remembered.remember(f"one-{number}")
    ends = remembered._until.values()
    assert max(ends) - min(ends) > 20


def test_after_a_wrong_password_the_lock_out_is_looked_up_until_it_counts_no_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = lockout.standing

    def standing(login_id: str, origin: str) -> lockout.Standing:
        asked.append(login_id)
        return real(login_id, origin)

    monkeypatch.setattr(lockout, "standing", standing)

    def looked_up() -> bool:
        asked.clear()
        assert passwords.verify("alice", PASSWORD) == cast.alice
        return bool(asked)

    assert looked_up()
    assert not looked_up()
    assert passwords.verify("alice", "wrong") is None
    assert looked_up()
    assert looked_up()
    SignInFailures.objects.update(last_at=timezone.now() - timedelta(seconds=301))
    assert looked_up()
    assert not looked_up()


def test_a_wrong_password_is_never_remembered(api: API, checks: list[str]) -> None:
    assert [api.get(password="wrong").status_code for _ in range(2)] == [401, 401]
    assert checks == ["alice", "alice"]


def test_the_memory_forgets_after_its_time(api: API, checks: list[str], settings: Any) -> None:
    settings.FINESSE_CREDENTIAL_CACHE_SECONDS = 0
    api.get()
    api.get()
    assert checks == ["alice", "alice"]


def test_the_memory_holds_no_password_that_could_be_read(api: API) -> None:
    seen: list[str] = []
    real = cache.set

    def recording(key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(f"{key}={value}")
        real(key, value, *args, **kwargs)

    cache.set = recording  # type: ignore[method-assign]
    try:
        api.get()
    finally:
        cache.set = real  # type: ignore[method-assign]
    (entry,) = [one for one in seen if "verified" in one]
    assert PASSWORD not in entry
    assert "alice" not in entry


def test_a_changed_password_stops_working_at_once(api: API, cast: Cast) -> None:
    assert api.get().status_code == 200
    cast.alice.set_password("another one")
    cast.alice.save()
    failure(api.get(), "alice")
    assert api.get(password="another one").status_code == 200


def test_a_deactivated_user_is_out_at_once_and_back_when_activated(api: API, cast: Cast) -> None:
    assert api.get().status_code == 200
    User.objects.filter(pk="alice").update(is_active=False)
    failure(api.get(), "alice")
    User.objects.filter(pk="alice").update(is_active=True)
    assert api.get().status_code == 200


def test_a_deleted_user_is_out_at_once(api: API, cast: Cast) -> None:
    assert api.get().status_code == 200
    cast.alice.delete()
    failure(api.get(), "alice")


def test_a_new_user_of_an_old_name_needs_the_new_password(api: API, cast: Cast) -> None:
    assert api.get().status_code == 200
    cast.alice.delete()
    User.objects.create_user("alice", "new", first_name="Another")
    failure(api.get(), "alice")


STRANGER = "203.0.113.7"


def test_five_wrong_passwords_block_even_the_right_one(api: API) -> None:
    for _ in range(5):
        failure(api.get(password="wrong"), "alice")
    failure(api.get(), "alice")


def test_a_password_that_was_verified_before_the_failures_is_believed(
    api: API, checks: list[str]
) -> None:
    """An agent at work, with the same address as a client that guesses passwords."""
    assert api.get().status_code == 200
    for _ in range(5):
        failure(api.get(password="wrong"), "alice")
    assert api.get().status_code == 200
    assert checks == ["alice"] * 6
    # It does not give the client new guesses.
    failure(api.get(password="wrong"), "alice")
    assert checks == ["alice"] * 6


def test_a_remembered_password_does_not_let_a_guesser_go_on_for_ever(
    api: API, settings: Any
) -> None:
    settings.FINESSE_LOCKOUT_REMEMBERED_FAILURES = 8
    assert api.get().status_code == 200
    for _ in range(8):
        failure(api.get(password="wrong"), "alice")
    failure(api.get(), "alice")


@pytest.mark.parametrize(("login", "path"), [("alice", "User/alice"), ("dave", "User/dave")])
def test_a_stranger_elsewhere_keeps_nobody_out(api: API, login: str, path: str) -> None:
    """Neither an agent nor the administrator, signed in before or not."""
    for _ in range(20):
        response = api.request("GET", path, login=login, password="wrong", origin=STRANGER)
        failure(response, login)
    failure(api.request("GET", path, login=login, origin=STRANGER), login)
    assert api.request("GET", path, login=login).status_code == 200


def test_a_blocked_origin_gets_one_answer_for_right_and_wrong(api: API) -> None:
    assert api.get().status_code == 200
    for _ in range(5):
        api.get(password="wrong", origin=STRANGER)
    right = api.get(origin=STRANGER)
    wrong = api.get(password="wrong", origin=STRANGER)
    assert (right.status_code, right.content) == (wrong.status_code, wrong.content)
    assert dict(right.headers) == dict(wrong.headers)


def test_addresses_of_one_network_of_ipv6_are_one_origin(api: API) -> None:
    for number in range(5):
        api.get(password="wrong", origin=f"2001:db8::{number:x}")
    failure(api.get(origin="2001:db8::ffff"), "alice")
    assert api.get(origin="2001:db8:0:1::1").status_code == 200


def test_behind_a_trusted_proxy_the_forwarded_address_is_the_origin(
    api: API, settings: Any
) -> None:
    settings.FINESSE_TRUSTED_PROXIES = ["10.0.0.0/8"]

    def by_proxy(password: str, forwarded: str) -> int:
        header = {"X-Forwarded-For": forwarded}
        status: int = api.get(password=password, origin="10.1.2.3", **header).status_code
        return status

    # What the client itself wrote stands first, and is not believed.
    for number in range(5):
        assert by_proxy("wrong", f"198.51.100.{number}, {STRANGER}") == 401
    assert by_proxy(PASSWORD, STRANGER) == 401
    assert by_proxy(PASSWORD, "203.0.113.8") == 200


@pytest.mark.parametrize(
    ("written", "other"),
    [
        (f"{STRANGER}:4711", "203.0.113.8:4711"),
        ("[2001:db8::1]:4711", "[2001:db8:0:1::1]:4711"),
        ("[2001:db8::1]", "[2001:db8:0:1::1]"),
        ("2001:db8::1", "2001:db8:0:1::1"),
    ],
)
def test_a_proxy_may_write_the_port_of_the_client_beside_its_address(
    api: API, settings: Any, written: str, other: str
) -> None:
    settings.FINESSE_TRUSTED_PROXIES = ["10.0.0.0/8"]
    by_proxy = {"origin": "10.1.2.3"}
    for _ in range(5):
        api.get(password="wrong", **by_proxy, **{"X-Forwarded-For": written})
    another_connection = written.replace("4711", "4712")
    failure(api.get(**by_proxy, **{"X-Forwarded-For": another_connection}), "alice")
    assert api.get(**by_proxy, **{"X-Forwarded-For": other}).status_code == 200


def test_what_is_remembered_of_origins_has_a_bound_and_follows_the_setting(settings: Any) -> None:
    long = ", ".join(["198.51.100.1"] * 1000 + [STRANGER])
    request = {"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": STRANGER}
    settings.FINESSE_TRUSTED_PROXIES = []
    assert client_networks.origin_of_request(request) == "10.1.2.3"
    settings.FINESSE_TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert client_networks.origin_of_request(request) == STRANGER
    remembered = client_networks._remembered_origin.cache_info().currsize
    assert client_networks.origin_of_request(request | {"HTTP_X_FORWARDED_FOR": long}) == STRANGER
    assert client_networks._remembered_origin.cache_info().currsize == remembered


@pytest.mark.parametrize(
    ("proxies", "peer", "address"),
    [
        (["10.0.0.0/8"], "10.1.2.3", "2001:db8::7"),
        ([], "10.1.2.3", "10.1.2.3"),
        (["10.0.0.0/8"], "192.0.2.9", "192.0.2.9"),
    ],
)
def test_the_address_of_a_socket_is_that_of_its_client_and_not_of_its_network(
    settings: Any, proxies: list[str], peer: str, address: str
) -> None:
    """The XMPP server is given it: it counts connections and passwords by address."""
    settings.FINESSE_TRUSTED_PROXIES = proxies
    headers = [
        (b"x-forwarded-for", b"198.51.100.1, 2001:db8::7"),
        (b"x-forwarded-for", b"10.9.9.9"),
    ]
    scope = {"client": (peer, 4711), "headers": headers}
    assert client_networks.address_of_scope(scope) == address


def test_a_forwarded_address_is_not_believed_from_anybody_else(api: API) -> None:
    for number in range(5):
        api.get(password="wrong", **{"X-Forwarded-For": f"203.0.113.{number}"})
    failure(api.get(**{"X-Forwarded-For": "203.0.113.9"}), "alice")


def test_an_origin_that_tries_many_names_is_checked_once_a_second(api: API, settings: Any) -> None:
    settings.FINESSE_LOCKOUT_ORIGIN_FAILURES = 10
    assert api.get(origin=STRANGER).status_code == 200
    for number in range(10):
        failure(api.get(login=f"nobody{number}", origin=STRANGER), f"nobody{number}")
    answers = [api.get(login=f"nobody{number}", origin=STRANGER) for number in range(10, 20)]
    slowed = [one for one in answers if one.status_code == 503]
    assert slowed
    assert all(one["Retry-After"] == "1" for one in slowed)
    # An agent at work at the same address goes on.
    assert api.get(origin=STRANGER).status_code == 200


def test_a_remembered_password_cannot_be_guessed_at_an_origin_that_is_not_checked_any_more(
    api: API, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong one is refused without a check there, and only the right one would be accepted."""
    settings.FINESSE_LOCKOUT_ORIGIN_FAILURES = 10
    settings.FINESSE_LOCKOUT_REMEMBERED_FAILURES = 7
    assert api.get(origin=STRANGER).status_code == 200
    assert api.get(user="bob", login="bob", origin=STRANGER).status_code == 200
    for number in range(10):
        failure(api.get(login=f"nobody{number}", origin=STRANGER), f"nobody{number}")
    # Others have used up each second's check.
    monkeypatch.setattr(lockout, "may_check_slowly", lambda origin: False)
    for number in range(7):
        assert api.get(origin=STRANGER).status_code == 200
        assert api.get(password=f"guess{number}", origin=STRANGER).status_code == 503
    assert api.get(origin=STRANGER).status_code == 503
    assert api.get(user="bob", login="bob", origin=STRANGER).status_code == 200
    assert api.get().status_code == 200
    # Once it is checked, it is right.
    monkeypatch.setattr(lockout, "may_check_slowly", lambda origin: True)
    assert api.get(origin=STRANGER).status_code == 200


def test_a_block_is_lifted_in_the_administration(api: API) -> None:
    for _ in range(5):
        api.get(password="wrong")
    failure(api.get(), "alice")
    admin = Client()
    admin.force_login(User.objects.get(pk="dave"))
    address = "/admin/users/signinfailures/"
    page = admin.get(address).content.decode()
    assert "alice" in page
    assert "until" in page
    row = SignInFailures.objects.get()
    admin.post(address, {"action": "lift_block", "_selected_action": [row.pk]})
    assert api.get().status_code == 200


def test_only_administrators_see_blocks(api: API) -> None:
    supervisor = Client()
    supervisor.force_login(User.objects.get(pk="carol"))
    assert supervisor.get("/admin/users/signinfailures/").status_code == 403


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_the_sign_in_pages_say_the_rule_to_everybody_who_fails(page: str) -> None:
    answer = Client().post(page, {"username": "alice", "password": "wrong"})
    assert "After 5 wrong passwords" in answer.content.decode()


def test_failures_that_count_no_more_are_pruned(api: API) -> None:
    api.get(password="wrong")
    SignInFailures.objects.update(last_at=timezone.now() - timedelta(hours=1))
    lockout.prune()
    assert not SignInFailures.objects.exists()


def test_old_failures_do_not_count_with_new_ones(api: API) -> None:
    for _ in range(4):
        api.get(password="wrong")
    SignInFailures.objects.update(last_at=timezone.now() - timedelta(hours=1))
    for _ in range(4):
        api.get(password="wrong")
    assert api.get().status_code == 200


@pytest.mark.parametrize("name", ["x" * 5000, "ü" * 70, "'; DROP TABLE", "%s"])
def test_any_name_may_be_guessed_at(api: API, name: str) -> None:
    for _ in range(6):
        assert api.get(login=name, password="wrong").status_code == 401


def test_the_block_ends_with_its_time(api: API) -> None:
    for _ in range(5):
        api.get(password="wrong")
    failure(api.get(), "alice")
    SignInFailures.objects.update(
        blocked_until=timezone.now(), last_at=timezone.now() - timedelta(seconds=301)
    )
    assert api.get().status_code == 200


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=400)])
def test_a_block_by_a_clock_that_was_ahead_ends_in_time(api: API, ahead: timedelta) -> None:
    """It was set right after the wrong passwords, or is another server's."""
    for _ in range(5):
        api.get(password="wrong")
    SignInFailures.objects.update(last_at=F("last_at") + ahead)
    SignInFailures.objects.update(blocked_until=F("blocked_until") + ahead)
    assert api.get().status_code == 200
    assert not SignInFailures.objects.exists()


def test_failures_by_a_clock_that_was_ahead_do_not_count_with_new_ones(api: API) -> None:
    for _ in range(4):
        api.get(password="wrong")
    SignInFailures.objects.update(last_at=timezone.now() + timedelta(hours=1))
    api.get(password="wrong")
    assert api.get().status_code == 200


@pytest.mark.parametrize("ahead", [30, -30])
def test_servers_whose_clocks_differ_a_little_count_together(api: API, ahead: int) -> None:
    for _ in range(4):
        api.get(password="wrong")
    SignInFailures.objects.update(last_at=timezone.now() + timedelta(seconds=ahead))
    api.get(password="wrong")
    failure(api.get(), "alice")


def test_failures_by_a_clock_that_was_ahead_are_pruned(api: API) -> None:
    api.get(password="wrong")
    SignInFailures.objects.update(last_at=timezone.now() + timedelta(hours=1))
    lockout.prune()
    assert not SignInFailures.objects.exists()


def test_a_password_that_is_checked_and_right_forgets_the_failures_before_it(
    api: API, checks: list[str], settings: Any
) -> None:
    settings.FINESSE_CREDENTIAL_CACHE_SECONDS = 0
    for _ in range(3):
        for _ in range(4):
            failure(api.get(password="wrong"), "alice")
        assert api.get().status_code == 200
    assert checks == ["alice"] * 15


def test_a_block_is_one_users_own(api: API) -> None:
    for _ in range(5):
        api.get(password="wrong")
    assert api.request("GET", "User/bob/Media", login="bob").status_code == 200


def test_the_sign_in_page_shares_the_block_with_the_api(api: API) -> None:
    page = Client()
    for _ in range(5):
        page.post("/login/", {"username": "alice", "password": "wrong"})
    failure(api.get(), "alice")
    page.post("/login/", {"username": "alice", "password": PASSWORD})
    assert page.get("/board/").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_the_same_password_arriving_many_times_at_once_is_checked_once(
    cast: Cast, checks: list[str]
) -> None:
    found: list[Any] = []

    def ask() -> None:
        found.append(passwords.verify("alice", PASSWORD))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cast.alice] * 8
    assert checks == ["alice"]


@pytest.mark.django_db(transaction=True)
def test_guesses_that_come_all_at_once_are_blocked_as_one_after_another(
    cast: Cast, checks: list[str]
) -> None:
    found: list[Any] = []

    def guess(password: str) -> None:
        try:
            found.append(passwords.verify("alice", password))
        except PasswordChecksOverrunError:
            pass
        finally:
            connection.close()

    guesses = [f"wrong {number}" for number in range(20)] + [PASSWORD]
    threads = [threading.Thread(target=guess, args=[password]) for password in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checks) <= 6
    assert found.count(cast.alice) <= 1


@pytest.mark.parametrize("change", ["password", "deactivated", "deleted"])
def test_a_user_who_is_changed_during_the_check_is_not_let_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    real = User.check_password

    def slow(user: User, password: str) -> bool:
        right = real(user, password)
        if change == "password":
            User.objects.filter(pk="alice").update(password=make_password("new"))
        elif change == "deactivated":
            User.objects.filter(pk="alice").update(is_active=False)
        else:
            User.objects.filter(pk="alice").delete()
        return right

    monkeypatch.setattr(User, "check_password", slow)
    assert passwords.verify("alice", PASSWORD) is None


def test_a_hash_that_the_check_renews_lets_in(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_product = "finesse.users.hashers.Argon2PasswordHasher"
    settings.PASSWORD_HASHERS = [of_the_product, *settings.PASSWORD_HASHERS]
    assert passwords.verify("alice", PASSWORD) == cast.alice
    cast.alice.refresh_from_db()
    assert cast.alice.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify("alice", PASSWORD) == cast.alice
    assert passwords.verify("alice", "another") is None


def test_when_too_many_wait_the_next_is_refused_at_once_with_retry_after(
    api: API, settings: Any
) -> None:
    """So that threads are left for users with a password in the cache."""
    assert api.get().status_code == 200
    settings.FINESSE_PASSWORD_PLACES = 1
    with QUEUE.turn("somebody", STRANGER):
        response = api.get(login="bob", user="bob", mrd=5002)
        assert (response.status_code, response["Retry-After"]) == (503, "1")
        assert api.get().status_code == 200


def test_a_check_that_waits_too_long_is_refused(
    api: API, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(password_checks, "LONGEST_WAIT_SECONDS", 0.01)
    settings.FINESSE_PASSWORD_CHECKS = 1
    with QUEUE.turn("somebody", STRANGER):
        assert api.get().status_code == 503
        with pytest.raises(PasswordChecksOverrunError):
            passwords.verify("alice", PASSWORD)
    assert api.get().status_code == 200


def test_nobody_waits_for_a_check_while_the_database_stands_still(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FINESSE_PASSWORD_CHECKS = 1
    monkeypatch.setattr(wait_limit, "standing_still", {wait_limit.DATABASE})
    with QUEUE.turn("somebody", STRANGER):
        begin = time.monotonic()
        with pytest.raises(PasswordChecksOverrunError), QUEUE.turn("alice", STRANGER):
            pass
        assert time.monotonic() - begin < password_checks.LONGEST_WAIT_SECONDS / 2


def test_an_origin_without_failures_may_take_every_place(settings: Any) -> None:
    """A shift that begins behind one address."""
    settings.FINESSE_PASSWORD_PLACES = 3
    settings.FINESSE_PASSWORD_CHECKS = 3
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(QUEUE.turn(f"agent{number}", STRANGER))


def test_six_strangers_of_one_origin_leave_room_for_others(api: API, settings: Any) -> None:
    settings.FINESSE_PASSWORD_PLACES = 3
    settings.FINESSE_PASSWORD_CHECKS = 4
    with ExitStack() as stack:
        taken = 0
        for number in range(6):
            with suppress(PasswordChecksOverrunError):
                turn = QUEUE.turn(f"stranger{number}", STRANGER, is_doubted=True)
                stack.enter_context(turn)
                taken += 1
        assert taken == 1
        assert api.get().status_code == 200


def test_a_user_known_at_an_origin_never_waits_behind_strangers(settings: Any) -> None:
    settings.FINESSE_PASSWORD_PLACES = 4
    settings.FINESSE_PASSWORD_CHECKS = 1
    queue = password_checks.Queue()
    order: list[str] = []

    def check(login_id: str, is_known: bool) -> None:
        with queue.turn(login_id, login_id, is_known=is_known):
            order.append(login_id)

    threads: list[threading.Thread] = []
    with queue.turn("first", "first", is_known=False):
        for login_id, is_known in [("b", False), ("c", False), ("known", True)]:
            threads.append(threading.Thread(target=check, args=[login_id, is_known]))
            threads[-1].start()
            wait_until(lambda: len(queue._waiting) == len(threads))
        with pytest.raises(PasswordChecksOverrunError), queue.turn("d", "d", is_known=False):
            pass
    for thread in threads:
        thread.join()
    assert order == ["known", "b", "c"]
    assert (queue._waiting, queue._running, queue._origins) == ([], set(), {})
    assert not queue._places


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_an_unknown_user_costs_as_much_as_a_wrong_password(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def counted(password: str) -> str:
        hashed.append(password)
        return make_password(password)

    monkeypatch.setattr(passwords, "make_password", counted)
    api.get(login="nobody", password="guess")
    assert hashed == ["guess"]
