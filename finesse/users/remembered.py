"""Passwords that were verified a while ago, and are believed without another check.

A check is made to cost, and Finesse clients send their password with every request. What is kept
is a keyed hash of login id, password, stored hash and origin: a changed password misses it by
construction. It is kept in the cache, for all processes, and in each process that has met it.
What is in use is renewed: an agent at work never waits for a check.
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
"""Passwords that one process remembers; bounds memory, not correctness."""
KNOWN_SECONDS = 30 * 24 * 3600
"""Time for which an origin counts as one from where this user has signed in before."""

_until: dict[str, float] = {}
"""Until when, by the monotonic clock, by key."""


def key_of(login_id: str, password: str, stored_hash: str, origin: str) -> str:
    return f"verified:{_digest(login_id, password, stored_hash, origin)}"


def is_remembered_here(key: str) -> bool:
    """Whether this process remembers it: the way of nearly every request, without a cache."""
    left = _until.get(key, 0.0) - _monotonic()
    if left <= 0:
        return False
    if left < settings.FINESSE_CREDENTIAL_CACHE_SECONDS / 2:
        # It costs nothing but the cache's part, which the next one may make up for.
        with contextlib.suppress(Exception):
            remember(key)
    return True


def is_remembered(key: str) -> bool:
    """Whether any process remembers it. Raises what the cache raises."""
    if is_remembered_here(key):
        return True
    if cache.get(key) is None:
        return False
    remember(key)
    return True


def remember(key: str) -> None:
    """Believe it for a while. The end is spread, so that a shift's does not come all at once."""
    seconds = settings.FINESSE_CREDENTIAL_CACHE_SECONDS * random.uniform(0.75, 1.0)
    if len(_until) >= MOST_REMEMBERED:
        _until.clear()
    _until[key] = _monotonic() + seconds
    cache.set(key, 1, seconds)


def is_known(login_id: str, origin: str) -> bool:
    """Whether this user has signed in from this origin before."""
    return cache.get(_known_key(login_id, origin)) is not None


def make_known(login_id: str, origin: str) -> None:
    cache.set(_known_key(login_id, origin), 1, KNOWN_SECONDS)


def _known_key(login_id: str, origin: str) -> str:
    return f"known:{_digest(login_id, origin)}"


def _digest(*secrets: str) -> str:
    # With a key of its own a hash is as good as an HMAC [RFC 7693], for a quarter of the time.
    key = _hash_key(settings.SECRET_KEY)
    return blake2b("\0".join(secrets).encode(), key=key, digest_size=32).hexdigest()


@lru_cache(maxsize=1)
def _hash_key(secret: str) -> bytes:
    """Used for nothing else: what is learned of it here is of no use elsewhere."""
    return salted_hmac(_SALT, "", secret, algorithm="sha256").digest()
