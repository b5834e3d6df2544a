"""How much a reason code is used: counted once each, without a look at the whole history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications.models import Notification
from media import tasks, use_counting
from media.models import StateInterval
from media.reason_codes.use import Use, use_of
from media.use_tables import LastUse, UseHead, UseOnDay
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]
DESKTOP_LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step counts few: what it leaves is the next one's, however slow the machine is."""
    monkeypatch.setattr(use_counting, "IDS_PER_STEP", 2)
    monkeypatch.setattr(tasks, "LONGEST_WORK_SECONDS", 60.0)


def noon() -> datetime:
    """Of today: midnight may pass while the tests run."""
    return timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def interval(code: ReasonCode | None, login_id: str, days_ago: int) -> StateInterval:
    at = noon() - timedelta(days=days_ago)
    return StateInterval.objects.create(
        login_id=login_id,
        mrd_id=5001,
        state="NOT_READY",
        reason_code=code,
        started_at=at,
        ended_at=at,
        cause="self",
        actor=login_id,
    )


def count() -> None:
    while use_counting.count_new():
        pass


def use(code: ReasonCode) -> Use:
    return use_of([code.pk])[code.pk]


def check() -> str:
    said = StringIO()
    call_command("reason_code_use", check=True, stdout=said)
    return said.getvalue()


def test_who_is_in_a_code_now_is_counted_once(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    lunch = codes["Lunch"]
    for mrd in (5000, 5001):
        api.put(LOGIN, mrd=mrd)
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    settle()
    for mrd in (5000, 5001):
        api.state("NOT_READY", lunch.pk, mrd=mrd)
    api.request(
        "PUT",
        "User/alice",
        f"<User><state>NOT_READY</state><reasonCodeId>{lunch.pk}</reasonCodeId></User>",
    )
    settle()
    assert use(lunch) == Use(now=1)
    tasks.count_use()
    assert use(lunch) == Use(now=1, uses=3, agents=1)
    api.state("READY", mrd=5000)
    api.state("READY", mrd=5001)
    api.request("PUT", "User/alice", "<User><state>READY</state></User>")
    settle()
    tasks.count_use()
    assert use(lunch) == Use(now=0, uses=3, agents=1)


def test_the_last_thirty_days_count(codes: dict[str, ReasonCode]) -> None:
    lunch, filing = codes["Lunch"], codes["Filing"]
    for login_id, days in (("a", 40), ("a", 30), ("a", 29), ("b", 3), ("b", 1), ("a", 0)):
        interval(lunch, login_id, days)
    interval(None, "c", 0)
    count()
    assert use_of([lunch.pk, filing.pk]) == {lunch.pk: Use(0, 4, 2), filing.pk: Use()}


def test_an_agent_who_comes_back_is_still_one(codes: dict[str, ReasonCode]) -> None:
    lunch = codes["Lunch"]
    for days in (9, 8, 8, 2):
        interval(lunch, "a", days)
        count()
    # The clock was set back meanwhile.
    interval(lunch, "a", 5)
    count()
    assert use(lunch) == Use(0, 5, 1)
    assert check() == "The counts are those of the history.\n"


def test_days_that_pass_take_their_uses_and_agents_along(
    codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    lunch = codes["Lunch"]
    for login_id, days in (("a", 29), ("a", 1), ("b", 29)):
        interval(lunch, login_id, days)
    count()
    assert use(lunch) == Use(0, 3, 2)
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    assert use(lunch) == Use(0, 1, 1)
    tasks.prune()
    assert (UseOnDay.objects.count(), LastUse.objects.count()) == (1, 1)
    assert use(lunch) == Use(0, 1, 1)
    assert check() == "The counts are those of the history.\n"


def test_nothing_is_counted_twice_nor_when_it_was_pruned(codes: dict[str, ReasonCode]) -> None:
    lunch = codes["Lunch"]
    made = [interval(lunch, "a", 2) for _ in range(7)]
    assert use_counting.count_new()
    StateInterval.objects.filter(pk__in=[one.pk for one in made[:5]]).delete()
    count()
    count()
    # Two were counted before they went, and two are still there.
    assert use(lunch).uses == 4
    assert UseHead.objects.get().interval == made[-1].pk


def test_a_quiet_service_does_not_even_lock(codes: dict[str, ReasonCode]) -> None:
    interval(codes["Lunch"], "a", 2)
    count()
    with CaptureQueriesContext(connection) as statements:
        assert not use_counting.count_new()
    assert [one["sql"].split()[0] for one in statements] == ["SELECT", "SELECT"]


def test_the_use_of_many_codes_takes_as_many_statements_as_that_of_one(
    codes: dict[str, ReasonCode], django_assert_num_queries: Any
) -> None:
    pks = list(ReasonCode.objects.values_list("pk", flat=True))
    with django_assert_num_queries(2) as statements:
        use_of(pks)
    assert "stateinterval" not in str(statements.captured_queries)


def test_counts_that_differ_from_the_history_are_named_and_mended(
    codes: dict[str, ReasonCode],
) -> None:
    lunch, filing = codes["Lunch"], codes["Filing"]
    for code, login_id, days in ((lunch, "a", 3), (lunch, "b", 3), (filing, "a", 1)):
        interval(code, login_id, days)
    count()
    UseOnDay.objects.filter(reason_code=lunch).update(uses=7)
    UseOnDay.objects.filter(reason_code=filing).delete()
    said = StringIO()
    with pytest.raises(CommandError, match="Count anew"):
        call_command("reason_code_use", check=True, stdout=said)
    on = noon().date() - timedelta(days=3)
    line = f"reason code {lunch.pk} on {on}: uses and agents (7, 2), in the history (2, 2)"
    assert line in said.getvalue()
    assert f"reason code {filing.pk} on" in said.getvalue()
    call_command("reason_code_use", stdout=StringIO())
    assert use(lunch) == Use(0, 2, 2)
    assert use(filing) == Use(0, 1, 1)
    assert check() == "The counts are those of the history.\n"


def test_what_is_not_counted_yet_is_no_difference(codes: dict[str, ReasonCode]) -> None:
    interval(codes["Lunch"], "a", 2)
    count()
    interval(codes["Lunch"], "b", 0)
    assert check() == "The counts are those of the history.\n"


def test_what_a_task_leaves_is_the_next_ones(
    codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        interval(codes["Lunch"], "a", 2)
    monkeypatch.setattr(tasks, "LONGEST_WORK_SECONDS", -1.0)
    called: list[object] = []
    monkeypatch.setattr(tasks.count_use, "apply_async", lambda **options: called.append(options))
    counted = []
    for _ in range(3):
        tasks.count_use()
        counted.append((use(codes["Lunch"]).uses, len(called)))
    assert counted == [(2, 1), (4, 2), (5, 2)]


def test_a_deleted_code_takes_its_counts_along(codes: dict[str, ReasonCode], cast: Cast) -> None:
    one = interval(codes["Lunch"], "a", 2)
    count()
    one.delete()
    codes["Lunch"].delete()
    assert not UseOnDay.objects.exists()
    assert not LastUse.objects.exists()
