"""Does what break rules say when the time for a reason is over.

It looks at the present states alone, and at the history of a day once in a stay. What is done is
noted in the same transaction, under the writer's lock: however many sweeps run at once, and
wherever one of them is killed, each step is done once in a stay.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from finesse.api.xml import timestamp
from finesse.notifications import log
from finesse.notifications.nodes import LIMITS
from media.break_tables import BreakRule, BreakStay, Then
from media.breaks.rules import RuleBook, every_rule
from media.breaks.stays import Stay, budgets_over_at, stays
from media.breaks.used import newest_correction
from media.breaks.words import Step, steps_of
from media.models import VOICE_MRD, Cause, MediaRequest
from media.states import Requested
from media.writing.requests import new_request
from media.writing.writer import apply_at_once
from reasoncodes.models import Category
from reasoncodes.system_codes import FORCE_LOGOUT, system_code

logger = logging.getLogger(__name__)

STAYS_PER_STEP = 200
"""Acted on in one transaction; the rest follows in another, and the writer has its turn between."""

_CHANGING = ("began_at", "budget_over_at", "basis", "agent_told", "supervisors_told", "ended")


@dataclass
class _Due:
    """The steps that are due in a stay, and when its time was over."""

    stay: Stay
    row: BreakStay
    over_at: datetime
    steps: list[Step]


def act_on_limits(now: datetime | None = None) -> bool:
    """Do what is due by now, or by another time that is given; False if nothing more is due."""
    rules = every_rule()
    if not any(rule.has_time for rule in rules):
        BreakStay.objects.all().delete()
        return False
    if not _Look(rules, now or timezone.now()).has_found():
        # Without the lock, which requests wait for.
        return False
    with transaction.atomic():
        head = log.lock()
        look = _Look(every_rule(), now or timezone.now())
        due = look.due()
        some = due[:STAYS_PER_STEP]
        log.append(head, [entry for one in some for entry in _told(one)])
        apply_at_once([request for one in some for request in _requests(one)])
        for one in some:
            for step in one.steps:
                setattr(one.row, step.name, True)
        look.save([one.row for one in some])
    return len(due) > len(some)


class _Look:
    """The stays as they are, beside what is noted of them."""

    def __init__(self, rules: RuleBook, now: datetime) -> None:
        self._now = now
        self._stays = stays(rules)
        self._stored = {(one.login_id, one.reason_code_id): one for one in BreakStay.objects.all()}
        self._correction = newest_correction()
        stale = [stay for stay in self._stays.values() if self._is_stale(stay)]
        budgets = budgets_over_at(stale, now)
        self._fresh = {stay.key: self._renewed(stay, budgets[stay.key]) for stay in stale}

    def has_found(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._fresh or self._gone() or self.due())

    def due(self) -> list[_Due]:
        """What is to be done, the longest overdue first."""
        found = []
        for key, stay in self._stays.items():
            row = self._fresh.get(key) or self._stored[key]
            over_at = stay.over_at(row.budget_over_at)
            if over_at is None or over_at > self._now:
                continue
            steps = [
                step
                for step in steps_of(stay.rule)
                if not getattr(row, step.name)
                and over_at + timedelta(minutes=step.after) <= self._now
            ]
            if steps:
                found.append(_Due(stay, row, over_at, steps))
        found.sort(key=lambda one: one.over_at)
        return _settled(found)

    def save(self, acted_on: Collection[BreakStay]) -> None:
        """Note new stays and what was done, and forget the stays that are over."""
        rows = {(one.login_id, one.reason_code_id): one for one in acted_on} | self._fresh
        BreakStay.objects.filter(pk__in=self._gone()).delete()
        BreakStay.objects.bulk_create(rows[key] for key in rows.keys() - self._stored.keys())
        known = [rows[key] for key in rows.keys() & self._stored.keys()]
        BreakStay.objects.bulk_update(known, _CHANGING)

    def _gone(self) -> list[int]:
        return [row.pk for key, row in self._stored.items() if key not in self._stays]

    def _is_stale(self, stay: Stay) -> bool:
        row = self._stored.get(stay.key)
        return row is None or row.began_at != stay.began_at or row.basis != self._basis(stay.rule)

    def _basis(self, rule: BreakRule) -> str:
        if rule.budget is None:
            return ""
        return f"{rule.budget_minutes} {rule.time_zone} {self._correction}"

    def _renewed(self, stay: Stay, budget_over_at: datetime | None) -> BreakStay:
        row = self._stored.get(stay.key)
        if row is None:
            row = BreakStay(login_id=stay.login_id, reason_code_id=stay.reason_code)
        if row.began_at != stay.began_at:
            row.agent_told = row.supervisors_told = row.ended = False
        row.began_at, row.budget_over_at = stay.began_at, budget_over_at
        row.basis = self._basis(stay.rule)
        return row


def _settled(found: list[_Due]) -> list[_Due]:
    """Without the agents who are to be moved, but have a request pending: that one has its turn
    first, and the next sweep sees what became of it."""
    moving = {one.stay.login_id for one in found if _moves(one)}
    pending = MediaRequest.objects.filter(outcome=None, login_id__in=moving)
    waits = set(pending.values_list("login_id", flat=True)) if moving else set()
    return [one for one in found if not (_moves(one) and one.stay.login_id in waits)]


def _moves(one: _Due) -> bool:
    return any(step.name == "ended" for step in one.steps)


def _told(one: _Due) -> Iterable[log.Entry]:
    """What is sent to the agent and to the agent's viewers."""
    for step in one.steps:
        if step.name == "ended":
            # The change of state says so itself.
            continue
        to = "agent" if step.name == "agent_told" else "supervisors"
        node = LIMITS.format(id=one.stay.login_id)
        reason_code = one.stay.rule.reason_code
        yield log.Entry(
            node=node,
            source=node,
            data={
                "Limit": {
                    "reasonCodeId": reason_code.pk,
                    "label": reason_code.label,
                    "beganAt": timestamp(one.stay.began_at),
                    "overdueAt": timestamp(one.over_at),
                    "to": to,
                }
            },
            context={
                "cause": Cause.LIMIT.value,
                "to": to,
                "user": one.stay.login_id,
                "reasonCodeId": str(reason_code.pk),
                "label": reason_code.label,
                "beganAt": timestamp(one.stay.began_at),
                "overdueAt": timestamp(one.over_at),
            },
        )


def _requests(one: _Due) -> list[MediaRequest]:
    """What brings the agent to the other state, wherever the agent is in the reason."""
    if not _moves(one):
        return []
    rule = one.stay.rule
    requested, reason_code = Requested.READY, None
    if rule.then == Then.NOT_READY:
        requested, reason_code = Requested.NOT_READY, rule.then_reason_code
    elif rule.then == Then.SIGN_OUT:
        requested, reason_code = Requested.FORCED_LOGOUT, system_code(Category.LOGOUT, FORCE_LOGOUT)
    label = rule.reason_code.label
    logger.info("The time of %s for “%s” is over", one.stay.login_id, label)
    return [
        new_request(
            one.stay.login_id,
            None if mrd_id == VOICE_MRD else mrd_id,
            requested,
            cause=Cause.LIMIT,
            reason_code=reason_code,
            note=f"The time for “{label}” is over.",
        )
        for mrd_id in one.stay.mrds
    ]
