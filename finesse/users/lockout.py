"""The lock-out: five wrong passwords for a user from one origin block the two for five minutes.

Finesse blocks the user [Media—Sign In], so that anybody can keep anybody out. Here a guesser is
blocked where it guesses; the user goes on elsewhere, and at the same origin with a password that
was verified before. docs/decisions/users.md says what an attacker can still do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic as _monotonic
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import F, Max, Q, QuerySet, Sum
from django.utils import timezone

from finesse.db.statements import Placeholder, Rows
from finesse.users.models import SignInFailures, User

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The recent wrong passwords for one user from one origin."""

    failures: int = 0
    blocked_until: datetime | None = None
    of_origin: int = 0
    """Wrong passwords from the origin, for any user."""

    @property
    def is_blocked(self) -> bool:
        return self.blocked_until is not None and self.blocked_until > timezone.now()

    @property
    def believes_remembered(self) -> bool:
        """Whether a password that was verified before the failures is still accepted.

        It must end, since at the same origin it lets a guesser try out passwords.
        """
        return self.failures < settings.FINESSE_LOCKOUT_REMEMBERED_FAILURES

    @property
    def is_doubted(self) -> bool:
        """Whether the origin has failed often enough to get fewer places for checks."""
        return self.of_origin >= settings.FINESSE_LOCKOUT_FAILURES

    @property
    def is_slow(self) -> bool:
        """Whether the origin has failed so often that it is checked once a second only."""
        return self.of_origin >= settings.FINESSE_LOCKOUT_ORIGIN_FAILURES


def standing(login_id: str, origin: str) -> Standing:
    earliest, latest = map(connection.ops.adapt_datetimefield_value, _window())
    found = _STANDING.all(login=login_id[:64], origin=origin, earliest=earliest, latest=latest)
    return found[0] if found else Standing()


def _standing_of(of_origin: int, failures: int | None, blocked_until: datetime | None) -> Standing:
    return Standing(of_origin=of_origin, failures=failures or 0, blocked_until=blocked_until)


def _failures_of_origin() -> "QuerySet[SignInFailures, Any]":
    """One row for an origin with failures: how many, and those of one user."""
    recent = Q(last_at__gt=Placeholder("earliest"), last_at__lte=Placeholder("latest"))
    own = Q(login_id=Placeholder("login"))
    of_origin = SignInFailures.objects.filter(recent, origin=Placeholder("origin")).order_by()
    return (
        of_origin.values("origin")
        .annotate(
            all=Sum("count"), own=Sum("count", filter=own), until=Max("blocked_until", filter=own)
        )
        .values_list("all", "own", "until")
    )


# While many users sign in at once, this is most of the work of refusing those who have to wait.
_STANDING = Rows(_failures_of_origin, _standing_of)


def may_check_slowly(origin: str) -> bool:
    """Whether a slow origin's turn has come: once a second."""
    return bool(cache.add(f"slow:{origin}", 1, 1))


_unchecked: dict[tuple[str, str], tuple[int, float]] = {}
"""By user and slow origin: how many passwords this process has left unchecked, and until when they
count, by the monotonic clock."""


def count_unchecked(user: "AbstractBaseUser", origin: str) -> None:
    """A slow origin has offered a password that was not checked. It may be a guess at a remembered
    one, which would show itself by being accepted."""
    count, until = _unchecked.get((user.pk, origin), (0, 0.0))
    if until <= (now := _monotonic()):
        count, until = 0, now + settings.FINESSE_LOCKOUT_SECONDS
    _unchecked[user.pk, origin] = count + 1, until


def is_guessed_at(user: "AbstractBaseUser", origin: str) -> bool:
    """Whether so many were left unchecked that a remembered password is not believed any more."""
    if not _unchecked:
        return False
    count, until = _unchecked.get((user.pk, origin), (0, 0.0))
    return count >= settings.FINESSE_LOCKOUT_REMEMBERED_FAILURES and until > _monotonic()


def count_failure(login_id: str, origin: str) -> None:
    """Count a wrong password up to the block, whose time begins with the last before it."""
    # First the user's row: a user with failures is looked up here at each sign-in.
    note_failures(login_id, failed=True)
    now = timezone.now()
    key = {"login_id": login_id[:64], "origin": origin}
    fresh = {"count": 0, "blocked_until": None, "last_at": now}
    row, _ = SignInFailures.objects.get_or_create(**key, defaults=fresh)
    one = SignInFailures.objects.filter(pk=row.pk)
    one.exclude(_is_recent()).update(**fresh)
    one.update(count=F("count") + 1, last_at=now)
    until = now + timedelta(seconds=settings.FINESSE_LOCKOUT_SECONDS)
    is_over = Q(blocked_until=None) | Q(blocked_until__lte=now)
    one.filter(is_over, count__gte=settings.FINESSE_LOCKOUT_FAILURES).update(blocked_until=until)


def forget_failures(login_id: str, origin: str) -> None:
    """After the right password: the count begins anew."""
    SignInFailures.objects.filter(login_id=login_id, origin=origin).delete()
    others = SignInFailures.objects.filter(_is_recent(), login_id=login_id)
    if not others.exists():
        note_failures(login_id, failed=False)


def lift(failures: "QuerySet[SignInFailures]") -> int:
    """End these blocks; how many failures of users and origins there were."""
    pairs = list(failures.values_list("login_id", "origin"))
    for login_id, origin in pairs:
        forget_failures(login_id, origin)
    return len(pairs)


def note_failures(login_id: str, *, failed: bool) -> None:
    # Writes only if it changes the row.
    User.objects.filter(pk=login_id).exclude(sign_in_failed=failed).update(sign_in_failed=failed)


def blocked_until(failures: SignInFailures) -> datetime | None:
    """The end of the block that these failures make; None if there is no block."""
    until = failures.blocked_until
    earliest, latest = _window()
    is_blocked = until is not None and until > timezone.now()
    return until if is_blocked and earliest < failures.last_at <= latest else None


def blocks() -> int:
    """How many blocks there are now, of a user at an origin each."""
    return SignInFailures.objects.filter(are_blocked()).count()


def are_blocked() -> Q:
    """Condition for failures that make a block now."""
    return _is_recent() & Q(blocked_until__gt=timezone.now())


def prune() -> None:
    """Delete expired counts."""
    SignInFailures.objects.exclude(_is_recent()).delete()


def _is_recent() -> Q:
    """Whether failures still count."""
    earliest, latest = _window()
    return Q(last_at__gt=earliest, last_at__lte=latest)


def _window() -> tuple[datetime, datetime]:
    """Times of failures that count.

    The clocks of servers may differ a little. What lies further ahead was written by a clock that
    has been set since, or is wrong: it would block for as long as that clock was ahead.
    """
    length = timedelta(seconds=settings.FINESSE_LOCKOUT_SECONDS)
    return timezone.now() - length, timezone.now() + length
