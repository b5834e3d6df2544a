"""Passwords that were verified recently, and are accepted without another check.

A password check is expensive on purpose, and Finesse clients send their password with every
request. The key is a keyed hash of login id, password, stored hash and origin, so a changed
password is never found. It is kept in the cache, for all processes, and in each process that has
seen it. Passwords in use are renewed: an agent at work never waits for a check.
"""

import contextlib
import random
from functools import lru_cache
from hashlib import blake2b
from time import monotonic as _monotonic

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

_SALT = "finesse.api.credentials"
MOST_REMEMBERED = 50_000
"""Passwords that one process remembers; it forgets all of them beyond this number."""
KNOWN_SECONDS = 30 * 24 * 3600
"""Time for which an origin counts as one from where this user has signed in before."""

_until: dict[str, float] = {}
"""When each password expires, by the monotonic clock, by key."""


def key_of(login_id: str, password: str, stored_hash: str, origin: str) -> str:
    return f"verified:{_digest(login_id, password, stored_hash, origin)}"


def is_remembered_here(key: str) -> bool:
    """Whether this process remembers it. Enough for nearly every request, without the cache."""
    left = _until.get(key, 0.0) - _monotonic()
    if left <= 0:
        return False
    if left < settings.FINESSE_CREDENTIAL_CACHE_SECONDS / 2:
        # Without the cache, the next request renews it.
        with contextlib.suppress(Exception):
            remember(key)
    return True


def is_remembered(key: str) -> bool:
    """Whether any process remembers it. Raises what the cache raises."""
    if is_remembered_here(key):
        return True
    seconds = _lifetime_seconds()
    if not cache.touch(key, seconds):
        return False
    _remember_here(key, seconds)
    return True


def remember(key: str) -> None:
    """Accept it for a while."""
    seconds = _lifetime_seconds()
    _remember_here(key, seconds)
    cache.set(key, 1, seconds)


def _lifetime_seconds() -> float:
    """Expiry is spread, so that a shift is not checked all at once."""
    return float(settings.FINESSE_CREDENTIAL_CACHE_SECONDS) * random.uniform(0.75, 1.0)


def _remember_here(key: str, seconds: float) -> None:
    if len(_until) >= MOST_REMEMBERED:
        _until.clear()
    _until[key] = _monotonic() + seconds


def is_known(login_id: str, origin: str) -> bool:
    """Whether this user has signed in from this origin before."""
    return cache.get(_known_key(login_id, origin)) is not None


def make_known(login_id: str, origin: str) -> None:
    cache.set(_known_key(login_id, origin), 1, KNOWN_SECONDS)


def _known_key(login_id: str, origin: str) -> str:
    return f"known:{_digest(login_id, origin)}"


def _digest(*secrets: str) -> str:
    # Keyed BLAKE2 is as safe as an HMAC [RFC 7693], in a quarter of the time.
    key = _hash_key(settings.SECRET_KEY)
    return blake2b("\0".join(secrets).encode(), key=key, digest_size=32).hexdigest()


@lru_cache(maxsize=1)
def _hash_key(secret: str) -> bytes:
    """Derived for this use only, so that it reveals nothing about other keys."""
    return salted_hmac(_SALT, "", secret, algorithm="sha256").digest()
