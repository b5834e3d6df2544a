"""Checks passwords, for HTTP Basic, the sign-in pages and the sockets alike.

The user's row is read every time, so deactivating or deleting a user has effect at once. The row
also notes whether wrong passwords were used lately: only then the lock-out is looked up for a
password that any process remembers.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from finesse.db.statements import Placeholder, Statement
from finesse.metrics.counters import password_results
from finesse.users import lockout, remembered
from finesse.users.password_checks import QUEUE, PasswordChecksOverrunError

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import QuerySet


def verify(login_id: str, password: str, origin: str = "") -> "AbstractBaseUser | None":
    """The user with this login id and password, who may sign in with it; otherwise None.

    Not one who has to choose a new password first: no client can do that, and until then others
    know the password. See `verify_password`.
    """
    user = verify_password(login_id, password, origin)
    return user if user and user.may_sign_in else None  # type: ignore[attr-defined]


def verify_password(login_id: str, password: str, origin: str = "") -> "AbstractBaseUser | None":
    """The active user with this login id and password, or None.

    Also one who has to choose a new password: for the pages on which that is done.

    `origin` is where the caller comes from (`finesse.client_networks`). While a user is blocked
    there after too many wrong passwords, the right one is wrong, too [Media—Sign In], but one that
    was verified there before. Raises PasswordChecksOverrunError when too many checks wait.
    """
    user = _read(login_id)
    key = _key(login_id, password, user, origin)
    is_guessed_at = user is not None and lockout.is_guessed_at(user, origin)
    is_trusted = user is not None and not (user.sign_in_failed or is_guessed_at)  # type: ignore[attr-defined]
    if not (is_trusted and remembered.is_remembered(key)):
        # One that was looked for in vain just now is not looked for again.
        may_be_remembered = not (is_trusted or is_guessed_at)
        user = _verify(user, login_id, password, origin, may_be_remembered=may_be_remembered)
    return user if user and user.is_active else None


def _verify(
    user: "AbstractBaseUser | None",
    login_id: str,
    password: str,
    origin: str,
    *,
    may_be_remembered: bool,
) -> "AbstractBaseUser | None":
    key = _key(login_id, password, user, origin)
    standing = lockout.standing(login_id, origin)
    may_be_remembered &= user is not None and standing.believes_remembered
    if not (may_be_remembered and remembered.is_remembered(key)):
        if standing.is_blocked:
            if standing.believes_remembered:
                lockout.count_failure(login_id, origin)
            return None
        if standing.is_slow and not lockout.may_check_slowly(origin):
            if user is not None:
                lockout.count_unchecked(user, origin)
            raise PasswordChecksOverrunError
        user = _check_in_turn(user, login_id, password, origin, is_doubted=standing.is_doubted)
        if user is None:
            return None
        if standing.failures or user.sign_in_failed:  # type: ignore[attr-defined]
            lockout.forget_failures(login_id, origin)
    elif not standing.failures:
        # The failures that the row notes are over. Those that count still are not forgotten for a
        # password that is only remembered: the client of an agent at work would give a guesser at
        # the same address five new guesses with each of its requests.
        lockout.forget_failures(login_id, origin)
    return user


def _check_in_turn(
    user: "AbstractBaseUser | None", login_id: str, password: str, origin: str, *, is_doubted: bool
) -> "AbstractBaseUser | None":
    key = _key(login_id, password, user, origin)
    is_known = remembered.is_known(login_id, origin)
    with QUEUE.turn(login_id, origin, is_known=is_known, is_doubted=is_doubted):
        # During the wait others may have guessed wrong, or verified the same password.
        if lockout.standing(login_id, origin).is_blocked:
            return None
        if not (user and remembered.is_remembered(key)) and not _check(user, password):
            lockout.count_failure(login_id, origin)
            return None
        # The check may have replaced the hash, as Django does for outdated hashers.
        key = _key(login_id, password, user, origin)
        remembered.remember(key)
        remembered.make_known(login_id, origin)
    # The user may have been changed during the check and the wait.
    user = _read(login_id)
    return user if user and _key(login_id, password, user, origin) == key else None


def _check(user: "AbstractBaseUser | None", password: str) -> bool:
    if user is None:
        # As slow as a wrong password, so that the time does not show which users exist.
        make_password(password)
        is_right = False
    else:
        is_right = user.check_password(password)
    password_results.labels("right" if is_right else "wrong").inc()
    return is_right


def _key(login_id: str, password: str, user: "AbstractBaseUser | None", origin: str) -> str:
    return remembered.key_of(login_id, password, user.password if user else "", origin)


_USER: "Statement[AbstractBaseUser]" = Statement(
    lambda: (
        _users()
        .filter(pk=Placeholder("login_id"))
        # No request needs these, and moments take longer to read than all other columns.
        .defer("last_login", "date_joined", "manages_global_reason_codes")
        .order_by()
    )
)


def _users() -> "QuerySet[Any]":
    return get_user_model()._default_manager.all()


def _read(login_id: str) -> "AbstractBaseUser | None":
    return _USER.first(login_id=login_id)
