"""A week of the demo's history: plausible days at work, the same whenever they are made."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from finesse.notifications import log
from media.models import Cause, StateInterval
from media.states import State
from media.use_counting import count_new
from media.writing.history import Key, open_intervals
from reasoncodes.models import ReasonCode

DAYS = 7
SUNDAY = 6
END_OF_SHIFT = 2001
LUNCH = 1001
BREAKS = {
    # database id: how often of a hundred times, minutes
    1005: (45, (8, 18)),
    1002: (15, (20, 45)),
    1003: (15, (15, 40)),
    1004: (15, (10, 35)),
    1006: (10, (30, 75)),
}


def write(agents: Collection[tuple[str, int, Collection[int]]]) -> None:
    """Write the last days of these agents: login id, MRD, and the ids of the codes they may choose.

    What is written has ended; nothing of it is of today.
    """
    codes = ReasonCode.objects.in_bulk([*BREAKS, LUNCH, END_OF_SHIFT])
    written = [
        interval
        for login_id, mrd, offered in agents
        for interval in _week((login_id, mrd), {pk: codes[pk] for pk in offered if pk in codes})
    ]
    written.sort(key=lambda interval: interval.started_at)
    with transaction.atomic():
        # As the writer does: the ids of intervals are in the order of commits.
        log.lock()
        open_intervals(written)
    while count_new():
        pass


def _week(key: Key, codes: dict[int, ReasonCode]) -> Iterator[StateInterval]:
    today = timezone.now().astimezone(UTC).date()
    midnight = datetime.combine(today, time(), UTC)
    found: list[StateInterval] = []
    for day in (today - timedelta(days=ago) for ago in range(DAYS, 0, -1)):
        if day.weekday() != SUNDAY:
            found += _Day(key, day, codes).intervals
    for one, following in zip(found, [*found[1:], None], strict=True):
        one.ended_at = following.started_at if following else midnight
        yield one


@dataclass
class _Day:
    """One agent's day in one MRD, each interval up to the beginning of the next."""

    key: Key
    day: date
    codes: dict[int, ReasonCode]
    intervals: list[StateInterval] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The same agent on the same day has done the same, whenever the demo is loaded.
        self.random = Random(f"{self.key[0]} in {self.key[1]} on {self.day}")
        self.at = datetime.combine(self.day, time(7, 30), UTC) + self._minutes(0, 45)
        self._spend(State.NOT_READY, self._minutes(1, 4))
        has_eaten = False
        while self.at.hour < 15:
            self._spend(State.READY, self._minutes(25, 95))
            if self.at.hour >= 11 and not has_eaten:
                has_eaten = True
                self._spend(State.NOT_READY, self._minutes(24, 47), LUNCH)
            else:
                self._take_a_break()
        self._spend(State.READY, self._minutes(20, 70))
        self._spend(State.LOGOUT, timedelta(), END_OF_SHIFT)

    def _take_a_break(self) -> None:
        offered = [pk for pk in BREAKS if pk in self.codes]
        if not offered:
            return
        (pk,) = self.random.choices(offered, [BREAKS[one][0] for one in offered])
        self._spend(State.NOT_READY, self._minutes(*BREAKS[pk][1]), pk)

    def _spend(self, state: State, duration: timedelta, reason: int | None = None) -> None:
        code = self.codes.get(reason) if reason else None
        login_id, mrd_id = self.key
        self.intervals.append(
            StateInterval(
                login_id=login_id,
                mrd_id=mrd_id,
                state=state,
                reason_code=code,
                code=code.code if code else None,
                label=code.label if code else "",
                started_at=self.at,
                cause=Cause.SELF,
                actor=login_id,
            )
        )
        self.at += duration

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.random.randint(least * 60, most * 60))
