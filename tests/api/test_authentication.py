"""HTTP Basic with remembered passwords, and the lock-out [Client Requests], [Media—Sign In]."""

import base64
import threading
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from django.test import Client

from finesse.users import passwords
from finesse.users.models import User
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
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"al\0ice:x").decode(),
        "Bearer abc",
        "Digest username=alice",
    ],
)
def test_what_is_not_basic_is_refused(api: API, header: str) -> None:
    path = "/finesse/api/User/alice/Media/5001"
    failure(api.client.get(path, headers={"Authorization": header}), "")


def test_a_password_may_hold_colons_and_letters_of_any_alphabet(api: API, cast: Cast) -> None:
    cast.alice.set_password("a:b:ü日")
    cast.alice.save()
    assert api.get(password="a:b:ü日").status_code == 200


def test_the_scheme_is_compared_without_case(api: API) -> None:
    header = "bAsIc " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    response = api.client.get("/finesse/api/User/alice/Media", headers={"Authorization": header})
    assert response.status_code == 200


def test_a_verified_password_is_checked_once(api: API, checks: list[str]) -> None:
    assert [api.get().status_code for _ in range(3)] == [200, 200, 200]
    assert checks == ["alice"]


def test_a_process_that_has_met_a_password_asks_nobody_but_the_users_row(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    assert passwords.verify("alice", PASSWORD) == cast.alice
    monkeypatch.setattr(passwords, "cache", None)
    with django_assert_num_queries(1):
        assert passwords.verify("alice", PASSWORD) == cast.alice


def test_a_process_that_has_met_nobody_believes_the_cache(
    api: API, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(passwords, "_remembered", {})
        assert api.get().status_code == 200
    assert checks == ["alice"]


def test_a_process_remembers_a_bounded_number(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_remembered", {})
    monkeypatch.setattr(passwords, "_REMEMBERED", 2)
    for login_id in ("alice", "bob", "carol"):
        assert passwords.verify(login_id, PASSWORD)
        assert 1 <= len(passwords._remembered) <= 2


def test_after_a_wrong_password_the_cache_is_asked_until_the_right_one_came(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    def asked() -> int:
        calls: list[Any] = []
        real = cache.get_many
        with monkeypatch.context() as patched:
            patched.setattr(
                passwords.cache, "get_many", lambda keys: calls.append(keys) or real(keys)
            )
            assert passwords.verify("alice", PASSWORD) == cast.alice
        return len(calls)

    assert asked() == 1
    assert asked() == 0
    assert passwords.verify("alice", "wrong") is None
    assert asked() == 1
    assert asked() == 0


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


def test_five_wrong_passwords_block_even_the_right_one(api: API) -> None:
    assert api.get().status_code == 200
    for _ in range(5):
        failure(api.get(password="wrong"), "alice")
    failure(api.get(), "alice")


def test_a_block_is_noted_again_in_a_row_that_was_saved_without(cast: Cast) -> None:
    assert passwords.verify("alice", PASSWORD)
    for _ in range(5):
        assert passwords.verify("alice", "wrong") is None
    # As whoever had read the user before the first of these.
    cast.alice.save()
    assert passwords.verify("alice", "wrong") is None
    assert passwords.verify("alice", PASSWORD) is None


def test_the_block_ends_with_its_time(api: API, settings: Any) -> None:
    settings.FINESSE_LOCKOUT_SECONDS = 0.2
    for _ in range(5):
        api.get(password="wrong")
    ended = threading.Event()
    ended.wait(0.3)
    assert api.get().status_code == 200


def test_a_success_forgets_the_failures_before_it(api: API) -> None:
    for _ in range(3):
        for _ in range(4):
            failure(api.get(password="wrong"), "alice")
        assert api.get().status_code == 200


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
        except passwords.PasswordChecksOverrunError:
            pass
        finally:
            connection.close()

    passwords = [f"wrong {number}" for number in range(20)] + [PASSWORD]
    threads = [threading.Thread(target=guess, args=[password]) for password in passwords]
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


def test_when_too_many_wait_the_next_is_told_to_come_back_at_once(api: API, settings: Any) -> None:
    """So that threads are left for those whose password is known."""
    assert api.get().status_code == 200
    settings.FINESSE_PASSWORD_PLACES = 1
    with passwords._one_check_at_a_time("somebody's"):
        assert api.get(login="bob", user="bob", mrd=5002).status_code == 503
        assert api.get().status_code == 200


def test_who_waits_too_long_for_a_password_check_is_told_to_come_back(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_LONGEST_WAIT", 0.01)
    monkeypatch.setattr(passwords, "_checks", threading.BoundedSemaphore(1))
    with passwords._one_check_at_a_time("somebody else's"):
        assert api.get().status_code == 503
        with pytest.raises(passwords.PasswordChecksOverrunError):
            passwords.verify("alice", PASSWORD)
    assert api.get().status_code == 200


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
