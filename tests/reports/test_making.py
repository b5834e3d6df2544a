"""The sums: made as time goes by, again after a correction, checked and rebuilt."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from finesse.users.models import TeamMembership
from media import tasks
from media.models import IntervalCorrection, StateInterval
from media.reports import making
from media.reports.periods import Period, Step
from media.reports.scope import Scope
from media.reports.sums import By, sums
from media.sum_tables import StaleHour, SumHead, SumOfDay, SumOfHour
from media.writing.history import correct_past
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = Period.day(NOON.date(), ZoneInfo("UTC"))


@pytest.fixture(autouse=True)
def own_time(cast: Cast) -> None:
    making.start_again()


def interval(start: datetime, end: datetime | None, code: ReasonCode | None) -> StateInterval:
    return StateInterval.objects.create(
        login_id="alice",
        mrd_id=5001,
        state="NOT_READY",
        reason_code=code,
        code=code.code if code else None,
        label=code.label if code else "",
        started_at=start,
        ended_at=end,
        cause="self",
        actor="alice",
    )


def make(now: datetime) -> None:
    with patch.object(making.timezone, "now", lambda: now):
        while making.make_some():
            pass


def reported(
    now: datetime = NOON + timedelta(days=2), by: tuple[By, ...] = (By.REASON,)
) -> dict[str, tuple[float, int]]:
    found = sums(Scope(everybody=True), DAY, Step.NONE, by, now)
    return {one.label: (one.seconds, one.stays) for one in found}


def reported_by_agent() -> dict[str, tuple[float, int]]:
    return reported(by=(By.AGENT, By.REASON))


def said(*options: str) -> str:
    out = StringIO()
    call_command("report_sums", *options, stdout=out)
    return out.getvalue()


def test_only_hours_that_are_settled_have_sums(codes: dict[str, ReasonCode]) -> None:
    interval(NOON - timedelta(minutes=90), None, codes["Lunch"])
    make(NOON + timedelta(minutes=4))
    assert [*SumOfHour.objects.values_list("micros", flat=True)] == [30 * 60 * 10**6]
    make(NOON + timedelta(minutes=6))
    made = [*SumOfHour.objects.order_by("hour").values_list("began", "running")]
    assert made == [(1, 0), (0, 1)]
    assert reported(NOON + timedelta(minutes=10)) == {"Lunch": (100 * 60, 1)}


def test_a_correction_counts_at_once_and_its_hours_are_made_again(
    codes: dict[str, ReasonCode],
) -> None:
    past = interval(NOON - timedelta(hours=3), NOON, codes["Lunch"])
    make(NOON + timedelta(hours=1))
    assert reported() == {"Lunch": (3 * 3600, 1)}
    correct_past(past, codes["Coaching"], actor="carol", note="It was a coaching")
    correct_past(past, codes["Filing"], actor="carol", note="No, filing")
    # Before anything is made again.
    assert reported() == {"Filing": (3 * 3600, 1)}
    IntervalCorrection.objects.update(at=NOON + timedelta(hours=1))
    make(NOON + timedelta(hours=1, minutes=10))
    assert not StaleHour.objects.exists()
    assert {*SumOfHour.objects.values_list("reason_code_id", flat=True)} == {codes["Filing"].pk}
    assert reported() == {"Filing": (3 * 3600, 1)}
    assert "are those of the history" in said("--check")


def test_a_day_is_summed_up_for_each_agent_once_all_of_it_is_settled(
    codes: dict[str, ReasonCode],
) -> None:
    interval(NOON, NOON + timedelta(days=3), codes["Lunch"])
    midnight = datetime(2026, 5, 5, tzinfo=UTC)
    make(midnight + timedelta(minutes=4))
    assert not SumOfDay.objects.exists()
    make(midnight + timedelta(minutes=6))
    (made,) = SumOfDay.objects.all()
    assert (made.login_id, made.micros, made.began) == ("alice", 12 * 3600 * 10**6, 1)
    assert reported_by_agent() == {"Lunch": (12 * 3600, 1)}
    # It is what reports read.
    SumOfDay.objects.update(micros=60 * 10**6)
    assert reported_by_agent() == {"Lunch": (60, 1)}


def test_a_corrected_day_is_read_from_the_history_until_it_is_made_again(
    codes: dict[str, ReasonCode],
) -> None:
    past = interval(NOON - timedelta(hours=3), NOON, codes["Lunch"])
    make(NOON + timedelta(days=1))
    assert SumOfDay.objects.get().reason_code_id == codes["Lunch"].pk
    correct_past(past, codes["Coaching"], actor="carol", note="It was a coaching")
    assert reported_by_agent() == {"Coaching": (3 * 3600, 1)}
    IntervalCorrection.objects.update(at=NOON + timedelta(days=1))
    later = NOON + timedelta(days=1, minutes=10)
    with patch.object(making.timezone, "now", lambda: later):
        # The correction, and two of the three hours; only the last one has the day with it.
        for _ in range(3):
            making.make_some()
        assert SumOfDay.objects.get().reason_code_id == codes["Lunch"].pk
        assert reported_by_agent() == {"Coaching": (3 * 3600, 1)}
    make(later)
    assert SumOfDay.objects.get().reason_code_id == codes["Coaching"].pk
    assert reported_by_agent() == {"Coaching": (3 * 3600, 1)}
    assert "are those of the history" in said("--check")


def test_the_check_looks_at_days_too(codes: dict[str, ReasonCode]) -> None:
    interval(NOON - timedelta(minutes=90), NOON, codes["Lunch"])
    make(NOON + timedelta(days=1))
    SumOfDay.objects.update(login_id="bob")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("report_sums", "--check", stdout=out)
    assert "2026-05-04 in UTC, agent alice" in out.getvalue()
    assert "2026-05-04 in UTC, agent bob" in out.getvalue()


def test_the_check_says_where_sums_differ_and_rebuilding_mends_them(
    codes: dict[str, ReasonCode],
) -> None:
    interval(NOON - timedelta(minutes=90), NOON, codes["Lunch"])
    make(NOON + timedelta(hours=1))
    SumOfHour.objects.filter(hour=SumOfHour.objects.earliest("hour").hour).update(micros=1)
    with pytest.raises(CommandError, match="report_sums --rebuild"):
        said("--check")
    with patch.object(making.timezone, "now", lambda: NOON + timedelta(hours=1)):
        said("--rebuild")
    assert "are those of the history" in said("--check")
    assert reported() == {"Lunch": (90 * 60, 1)}


def test_sums_are_forgotten_with_their_intervals(codes: dict[str, ReasonCode]) -> None:
    interval(NOON - timedelta(hours=30), NOON - timedelta(hours=29), None)
    interval(NOON - timedelta(hours=2), NOON, codes["Lunch"])
    make(NOON + timedelta(days=1))
    assert SumOfDay.objects.count() == 2
    making.forget_before(NOON - timedelta(hours=20))
    assert SumOfDay.objects.count() == 1
    assert SumHead.objects.get().since == SumOfHour.objects.earliest("hour").hour - 17
    assert reported() == reported_by_agent() == {"Lunch": (2 * 3600, 1)}
    making.forget_before(NOON + timedelta(days=300))
    assert not SumOfHour.objects.exists()
    assert not SumOfDay.objects.exists()
    assert reported() == {"Lunch": (2 * 3600, 1)}


def test_what_is_made_during_a_reading_is_neither_missed_nor_doubled(
    codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    interval(NOON - timedelta(hours=3), NOON, codes["Lunch"])
    looked = making.stale_hours

    def make_meanwhile(head: SumHead) -> set[int]:
        found = looked(head)
        make(NOON + timedelta(hours=1))
        return found

    monkeypatch.setattr("media.reports.reading.stale_hours", make_meanwhile)
    assert reported() == {"Lunch": (3 * 3600, 1)}


def test_the_worker_makes_sums_and_writes_teams(
    cast: Cast, codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "LONGEST_WORK_SECONDS", 600.0)
    TeamMembership.objects.all().delete()
    now = timezone.now()
    interval(now - timedelta(hours=3), now - timedelta(hours=2), codes["Lunch"])
    called: list[dict[str, object]] = []
    monkeypatch.setattr(tasks.sum_up, "apply_async", lambda **options: called.append(options))
    tasks.sum_up()
    if connection.vendor == "sqlite":
        assert SumOfHour.objects.count() == 0, "the lock of the whole database is held for a step"
    while called:
        assert called.pop()["countdown"]
        tasks.sum_up()
    assert TeamMembership.objects.filter(login_id="alice", ended_at=None).exists()
    assert sum(SumOfHour.objects.values_list("micros", flat=True)) == 3600 * 10**6
