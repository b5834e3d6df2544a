"""Is this password right? Asked by HTTP Basic, the sign-in pages and the sockets alike.

A password check costs about half a second of CPU, and Finesse clients send their password with
every request, so a verified one is remembered for a while. The memory's key holds the stored
hash: a changed password misses it by construction, and the user's row is read every time, so a
deactivated or deleted user is out at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from finesse.api.errors import OUT_OF_SERVICE

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

_SALT = "finesse.api.credentials"
_LONGEST_WAIT = 20
"""Seconds that a caller waits for its turn at the password checks before it gets a 503."""

_checks = threading.BoundedSemaphore(settings.FINESSE_PASSWORD_CHECKS)
_flights: dict[str, tuple[threading.Lock, int]] = {}
_flights_guard = threading.Lock()


def verify(login_id: str, password: str) -> "AbstractBaseUser | None":
    """The active user whose login id and password these are, or None.

    While a user is blocked after too many wrong passwords, the right one is wrong, too
    [Media—Sign In]. Raises FinesseError 503 when the password checks are overrun.
    """
    user = get_user_model()._default_manager.filter(pk=login_id).first()
    stored_hash = user.password if user else ""
    verified_key = _key("verified", login_id, password, stored_hash)
    failures_key = _key("failures", login_id)
    known = cache.get_many([verified_key, failures_key])
    if known.get(failures_key, 0) >= settings.FINESSE_LOCKOUT_FAILURES:
        return None
    if user is None or not known.get(verified_key):
        with _one_check_at_a_time(verified_key):
            # Whoever waited for the same credentials finds the answer of who did not.
            if not (user and cache.get(verified_key)) and not _check(user, password):
                _count_failure(failures_key)
                return None
            cache.set(verified_key, True, settings.FINESSE_CREDENTIAL_CACHE_SECONDS)
    if failures_key in known:
        cache.delete(failures_key)
    return user if user and user.is_active else None


def _check(user: "AbstractBaseUser | None", password: str) -> bool:
    if user is None:
        # As slow as a wrong password, so that the time does not tell which users exist.
        make_password(password)
        return False
    return user.check_password(password)


def _count_failure(key: str) -> None:
    """Count up to the lock; the last failure before it starts the time of the lock."""
    cache.add(key, 0, settings.FINESSE_LOCKOUT_SECONDS)
    try:
        failures = cache.incr(key)
    except ValueError:
        return  # It expired between the two calls: an old count is a forgotten one.
    if failures == settings.FINESSE_LOCKOUT_FAILURES:
        cache.touch(key, settings.FINESSE_LOCKOUT_SECONDS)


@contextmanager
def _one_check_at_a_time(key: str) -> Iterator[None]:
    """One check for the same credentials, a bounded number of checks in all."""
    with _flights_guard:
        flight, waiting = _flights.get(key, (threading.Lock(), 0))
        _flights[key] = flight, waiting + 1
    try:
        with flight:
            if not _checks.acquire(timeout=_LONGEST_WAIT):
                raise OUT_OF_SERVICE()
            try:
                yield
            finally:
                _checks.release()
    finally:
        with _flights_guard:
            waiting = _flights[key][1] - 1
            if waiting:
                _flights[key] = flight, waiting
            else:
                del _flights[key]


def _key(kind: str, *secrets: str) -> str:
    digest = salted_hmac(_SALT, "\0".join(secrets), algorithm="sha256").hexdigest()
    return f"{kind}:{digest}"
