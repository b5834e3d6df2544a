"""Many reason codes are saved at once, as by an import: the same is published as for each alone."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import REASON_CODES, TEAM_REASON_CODES
from finesse.users.models import User
from media.changes.memberships import publish_changed_media
from media.changes.publishing import ROWS_PER_PAGE
from media.changes.reason_codes import EMBEDDED, MEANING
from media.changes.users import publish_changed_users
from media.documents.updates import of_reason_code
from media.models import Media
from reasoncodes.many import Saved, many_saved
from reasoncodes.models import ReasonCode


@receiver(many_saved, sender=ReasonCode)
def publish_changed_reason_codes(saved: Sequence[Saved], **kwargs: Any) -> None:
    """They are written under the writer's lock: no agent comes to show one meanwhile."""
    embedded = [one.code.pk for one in saved if one.before and _differ(one, EMBEDDED)]
    if embedded:
        publish_changed_media(Media.objects.filter(reason_code__in=embedded))
        publish_changed_users(User.objects.filter(desktop__reason_code__in=embedded))
    entries = [entry for one in saved for entry in _of_lists(one)]
    for start in range(0, len(entries), ROWS_PER_PAGE):
        log.append(log.lock(), entries[start : start + ROWS_PER_PAGE])


def _of_lists(saved: Saved) -> Iterator[log.Entry]:
    """That it has come into lists that agents choose from, has left some, or has changed."""
    before = _lists(saved.before, saved.teams_before)
    now = _lists(saved.code, saved.teams)
    yield from of_reason_code(saved.code, before - now, Event.DELETE)
    yield from of_reason_code(saved.code, now - before, Event.POST)
    if _differ(saved, EMBEDDED | MEANING):
        yield from of_reason_code(saved.code, now & before, Event.PUT)


def _lists(code: ReasonCode | None, teams: Collection[int]) -> set[str]:
    """The nodes of the lists that it stands in."""
    if code is None or code.retired or code.system_code:
        return set()
    return {REASON_CODES} if code.for_all else {TEAM_REASON_CODES.format(id=pk) for pk in teams}


def _differ(saved: Saved, names: Collection[str]) -> bool:
    before = saved.before
    return before is None or any(
        getattr(before, name) != getattr(saved.code, name) for name in names
    )
