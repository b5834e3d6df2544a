"""Is this password right? Asked by HTTP Basic, the sign-in pages and the sockets alike.

A password check is made to cost, and Finesse clients send their password with
every request, so a verified one is remembered for a while: in the cache, for all processes, and in
each process that has met it. The memory's key holds the stored hash: a changed password misses it
by construction, and the user's row is read every time, so a deactivated or deleted user is out at
once. The row says, too, whether wrong passwords have come since the last right one: how many, the
cache knows, and only then it is asked for a password that the process remembers.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from finesse.db.statements import Parameter, Statement

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import QuerySet

_SALT = "finesse.api.credentials"
"""As it was called first: processes of two versions remember the same passwords."""
_LONGEST_WAIT = 20
"""Seconds that a caller waits for its turn at the password checks before it gets a 503."""
_REMEMBERED = 50_000
"""Verified passwords that one process remembers; bounds memory, not correctness."""

_remembered: dict[str, float] = {}
"""Until when, in seconds since 1970, by the cache's key."""

_checks = threading.BoundedSemaphore(settings.FINESSE_PASSWORD_CHECKS)
_flights: dict[str, tuple[threading.Lock, int]] = {}
_flights_guard = threading.Lock()


class PasswordChecksOverrunError(Exception):
    """Too many password checks wait already: this one was not made. Try again later."""


def verify(login_id: str, password: str) -> "AbstractBaseUser | None":
    """The active user whose login id and password these are, or None.

    While a user is blocked after too many wrong passwords, the right one is wrong, too
    [Media—Sign In]. Raises PasswordChecksOverrunError when too many checks wait.
    """
    user = _read(login_id)
    verified_key = _verified_key(login_id, password, user)
    if user is None or _is_doubted(user) or _remembered.get(verified_key, 0) <= time.time():
        user = _verify_by_cache(user, login_id, password, verified_key)
    return user if user and user.is_active else None


def _verify_by_cache(
    user: "AbstractBaseUser | None", login_id: str, password: str, verified_key: str
) -> "AbstractBaseUser | None":
    failures_key = _key("failures", login_id)
    known = cache.get_many([verified_key, failures_key])
    if _is_blocked(known.get(failures_key)):
        # Whoever saved the user meanwhile as it was before may have taken the note away.
        _note_failure(login_id, failed=True)
        return None
    until = known.get(verified_key)
    if user is None or not until:
        with _one_check_at_a_time(failures_key):
            # Whoever waited here comes after others' guesses, and after whoever asked the same.
            if _is_blocked(cache.get(failures_key)):
                return None
            if not (user and cache.get(verified_key)) and not _check(user, password):
                _count_failure(login_id, failures_key)
                return None
            # The check may have renewed the hash, as Django does when it asks for a stronger one.
            verified_key = _verified_key(login_id, password, user)
            until = time.time() + settings.FINESSE_CREDENTIAL_CACHE_SECONDS
            cache.set(verified_key, until, settings.FINESSE_CREDENTIAL_CACHE_SECONDS)
        # Checking and waiting take their time: what was checked may have been changed meanwhile.
        user = _read(login_id)
        if user is None or _verified_key(login_id, password, user) != verified_key:
            return None
    if failures_key in known or _is_doubted(user):
        # In this order: a guess that comes in between is noted in the row, if not in the count.
        _note_failure(login_id, failed=False)
        cache.delete(failures_key)
    if len(_remembered) >= _REMEMBERED:
        _remembered.clear()
    _remembered[verified_key] = until
    return user


_USER: "Statement[AbstractBaseUser]" = Statement(
    lambda: (
        _users()
        .filter(pk=Parameter("login_id"))
        # No request asks for these, and moments of time take longer to read than all else.
        .defer("last_login", "date_joined")
        .order_by()
    )
)


def _users() -> "QuerySet[Any]":
    return get_user_model()._default_manager.all()


def _read(login_id: str) -> "AbstractBaseUser | None":
    return _USER.first(login_id=login_id)


def _is_doubted(user: "AbstractBaseUser") -> bool:
    return bool(user.sign_in_failed)  # type: ignore[attr-defined]


def _note_failure(login_id: str, *, failed: bool) -> None:
    # Where it stands so already, nothing is written.
    _users().filter(pk=login_id).exclude(sign_in_failed=failed).update(sign_in_failed=failed)


def _is_blocked(failures: int | None) -> bool:
    return (failures or 0) >= settings.FINESSE_LOCKOUT_FAILURES


def _verified_key(login_id: str, password: str, user: "AbstractBaseUser | None") -> str:
    return _key("verified", login_id, password, user.password if user else "")


def _check(user: "AbstractBaseUser | None", password: str) -> bool:
    if user is None:
        # As slow as a wrong password, so that the time does not tell which users exist.
        make_password(password)
        return False
    return user.check_password(password)


def _count_failure(login_id: str, key: str) -> None:
    """Count up to the lock; the last failure before it starts the time of the lock."""
    # First the row: whoever is blocked by the count has to be looked up there.
    _note_failure(login_id, failed=True)
    cache.add(key, 0, settings.FINESSE_LOCKOUT_SECONDS)
    try:
        failures = cache.incr(key)
    except ValueError:
        return  # It expired between the two calls: an old count is a forgotten one.
    if failures == settings.FINESSE_LOCKOUT_FAILURES:
        cache.touch(key, settings.FINESSE_LOCKOUT_SECONDS)


@contextmanager
def _one_check_at_a_time(user: str) -> Iterator[None]:
    """One check at once for a user, a bounded number in all.

    A caller that waits holds one of the server's threads. Raises PasswordChecksOverrunError when
    it has waited too long, or when too many others wait.
    """
    with _flight(user) as flight:
        if not flight.acquire(timeout=_LONGEST_WAIT):
            raise PasswordChecksOverrunError
        try:
            if not _checks.acquire(timeout=_LONGEST_WAIT):
                raise PasswordChecksOverrunError
            try:
                yield
            finally:
                _checks.release()
        finally:
            flight.release()


@contextmanager
def _flight(user: str) -> Iterator[threading.Lock]:
    """The lock of a user's checks, there as long as anybody needs it."""
    with _flights_guard:
        # Those who wait for the same user are let in or blocked together, and soon.
        if user not in _flights and len(_flights) >= settings.FINESSE_PASSWORD_PLACES:
            raise PasswordChecksOverrunError
        lock, needed_by = _flights.get(user, (threading.Lock(), 0))
        _flights[user] = lock, needed_by + 1
    try:
        yield lock
    finally:
        with _flights_guard:
            _, needed_by = _flights[user]
            if needed_by > 1:
                _flights[user] = lock, needed_by - 1
            else:
                del _flights[user]


def _key(kind: str, *secrets: str) -> str:
    # With a key of its own a hash is as good as an HMAC [RFC 7693], for a quarter of the time.
    digest = blake2b(
        "\0".join(secrets).encode(), key=_hash_key(settings.SECRET_KEY), digest_size=32
    )
    return f"{kind}:{digest.hexdigest()}"


@lru_cache(maxsize=1)
def _hash_key(secret: str) -> bytes:
    """Used for nothing else: what is learned of it here is of no use elsewhere."""
    return salted_hmac(_SALT, "", secret, algorithm="sha256").digest()
