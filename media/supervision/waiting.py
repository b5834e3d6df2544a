"""Changes that wait: begun, replaced, cancelled, listed. The writer applies them."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.users.access import managed_users, visible_users
from finesse.users.models import User
from media.breaks.queues import Queues
from media.documents.waiting import entries_of
from media.supervision.asking import AskingError
from media.supervision_tables import WaitingChange, WaitingOutcome


def begin_to_wait(new: Sequence[WaitingChange], head: LogHead, by: str) -> None:
    """Save these in the place of those that wait about the same, and tell. The caller has locked
    the log, has seen that the rules refuse the changes, and goes on in the same transaction."""
    if not new:
        return
    subjects = {(one.login_id, one.mrd_id) for one in new}
    waiting = _open().filter(login_id__in={login_id for login_id, _ in subjects})
    former = [one for one in waiting if (one.login_id, one.mrd_id) in subjects]
    for one in former:
        _end(one, WaitingOutcome.REPLACED, by)
    WaitingChange.objects.bulk_create(new)
    _tell(head, begun=new, ended=former)


def cancel(waiting_id: int, by: User) -> WaitingChange:
    """Raises AskingError 404 for one that the user may not cancel, 409 for one that has ended."""
    with transaction.atomic():
        head = log.lock()
        allowed = Q(login_id=by.pk) | Q(login_id__in=managed_users(by).values("pk"))
        found = _with_reason().filter(allowed, pk=waiting_id).first()
        if found is None or not by.may_sign_in:
            raise AskingError("No such change waits", 404)
        if found.outcome:
            label = WaitingOutcome(found.outcome).label
            raise AskingError(f"It does not wait any more: {label}", 409)
        _end(found, WaitingOutcome.CANCELLED, by.pk)
        _tell(head, ended=[found])
    return found


def withdraw(waiting_id: int, by: str) -> bool:
    """Cancel it in a transaction that has locked the log; False if it does not wait any more."""
    found = _open().filter(pk=waiting_id).first()
    if found is None:
        return False
    _end(found, WaitingOutcome.CANCELLED, by)
    # Read anew: what was appended in this transaction has moved the head.
    _tell(log.lock(), ended=[found])
    return True


def visible_to(user: User) -> QuerySet[WaitingChange]:
    """The changes that wait and that the user may see: the own ones and those of own agents."""
    return _open().filter(login_id__in=visible_users(user).values("pk"))


def waits_already(waiting: WaitingChange) -> bool:
    """Whether the same waits already: who asks again keeps the turn."""
    same = _open().filter(
        login_id=waiting.login_id,
        mrd_id=waiting.mrd_id,
        requested=waiting.requested,
        reason_code=waiting.reason_code,
        logout_all_media=waiting.logout_all_media,
    )
    return same.exists()


def _tell(
    head: LogHead, *, begun: Sequence[WaitingChange] = (), ended: Sequence[WaitingChange]
) -> None:
    places = Queues().in_queues_of([*begun, *ended])
    new = {one.pk: one for one in begun}
    log.append(head, entries_of(new, {one.pk: one for one in ended}, places))


def _open() -> QuerySet[WaitingChange]:
    return _with_reason().filter(outcome=None)


def _with_reason() -> QuerySet[WaitingChange]:
    return WaitingChange.objects.select_related("reason_code")


def _end(waiting: WaitingChange, outcome: WaitingOutcome, by: str) -> None:
    waiting.outcome, waiting.ended_at, waiting.ended_by = outcome, timezone.now(), by
    waiting.save(update_fields=["outcome", "ended_at", "ended_by"])
