"""The demo's data: enough to see, the same each time, and nothing twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F, Q
from django.utils import timezone

from finesse.commands import demo_data
from finesse.users.models import Team, User
from media.break_tables import BreakRule
from media.models import Media, MediaRequest, MediaRoutingDomain, StateInterval
from media.reason_codes.use import use_of
from reasoncodes.models import Category, ReasonCode
from tests.kit.cast import skip_ids
from tests.kit.database import Kept, empty_and_write

pytestmark = pytest.mark.usefixtures("given_ids", "own_layer")


def history() -> list[Any]:
    fields = ("login_id", "mrd_id", "state", "reason_code", "label", "started_at", "ended_at")
    return list(StateInterval.objects.order_by("id").values_list("id", *fields))


def past_days() -> list[Any]:
    """What the agents have done, without how they were signed out and in today."""
    done = StateInterval.objects.filter(cause="self").order_by("id")
    return list(done.values_list("login_id", "mrd_id", "label", "started_at", "ended_at"))


def test_loading_again_changes_nothing() -> None:
    demo_data.load("finesse")
    before = history(), list(User.objects.order_by("pk").values())
    demo_data.load("another")
    assert (history(), list(User.objects.order_by("pk").values())) == before


def test_who_becomes_a_member_again_has_no_week_twice() -> None:
    demo_data.load("finesse")
    before = past_days()
    Media.objects.get(user="1302").delete()
    Media.objects.get(user="1235", mrd=5001).delete()
    StateInterval.objects.filter(login_id="1235", mrd_id=5001).delete()
    demo_data.load("finesse")
    assert Media.objects.filter(user__in=["1302", "1235"]).count() == 3
    # The one without any history has a week again, the other one's is there already.
    assert sorted(past_days(), key=repr) == sorted(before, key=repr)


def test_what_somebody_has_put_in_the_place_of_the_demos_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    demo_data.load("finesse")
    ReasonCode.objects.get(pk=2002).delete()
    sick = ReasonCode.objects.create(category=Category.LOGOUT, code=2, label="Sick", for_all=True)
    Media.objects.filter(mrd=5002).delete()
    MediaRoutingDomain.objects.get(pk=5002).delete()
    MediaRoutingDomain.objects.create(pk=6000, name="tasks")
    User.objects.filter(pk__in=["1300", "2002"]).delete()
    Team.objects.get(pk=2).delete()
    Team.objects.create(pk=9, name="Back office")
    demo_data.load("finesse")
    assert not ReasonCode.objects.filter(pk=2002).exists()
    assert ReasonCode.objects.get(label="Sick") == sick
    assert User.objects.get(pk="1300").team is None
    assert [team.pk for team in User.objects.get(pk="2002").supervised_teams.all()] == [1]
    left_out = [record.getMessage() for record in caplog.records if "left out" in record.message]
    assert [text.partition(" is ")[0] for text in left_out] == [
        "The demo's team 2",
        "The demo's media routing domain 5002",
        "The demo's reason code 2002",
    ]


def test_a_demo_whose_codes_are_gone_has_a_week_all_the_same() -> None:
    demo_data.load("finesse")
    StateInterval.objects.all().delete()
    Media.objects.all().delete()
    BreakRule.objects.all().delete()
    MediaRequest.objects.all().delete()
    ReasonCode.objects.filter(pk__in=demo_data.REASON_CODES).delete()
    for number, (category, code, label, _) in enumerate(demo_data.REASON_CODES.values(), 7_000):
        ReasonCode.objects.create(
            pk=number, category=category, code=code, label=label, for_all=True
        )
    demo_data.load("finesse")
    assert not ReasonCode.objects.filter(pk__in=demo_data.REASON_CODES).exists()
    assert StateInterval.objects.filter(cause="self").exists()


def test_a_week_has_passed_and_nothing_of_it_is_in_the_future() -> None:
    demo_data.load("finesse")
    now = timezone.now()
    today = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    past = StateInterval.objects.filter(started_at__lt=today)
    assert past.filter(Q(ended_at=None) | Q(ended_at__gt=today)).count() == 0
    assert past.filter(started_at__lt=today - timedelta(days=7)).count() == 0
    assert not StateInterval.objects.filter(Q(started_at__gt=now) | Q(ended_at__gt=now)).exists()
    assert not past.filter(ended_at__lt=F("started_at")).exists()
    assert {*past.values_list("login_id", flat=True)} == {*demo_data.AGENTS}


def test_each_interval_of_an_agent_begins_where_the_one_before_it_ended() -> None:
    demo_data.load("finesse")
    for login_id, (*_, mrds) in demo_data.AGENTS.items():
        for mrd in mrds:
            found = StateInterval.objects.filter(login_id=login_id, mrd_id=mrd, cause="self")
            times = list(found.order_by("started_at").values_list("started_at", "ended_at"))
            assert all(one[1] == following[0] for one, following in zip(times, times[1:]))  # noqa: B905, RUF007


def test_the_same_days_are_the_same_whenever_it_is_loaded() -> None:
    demo_data.load("finesse")
    first = past_days()
    StateInterval.objects.all().delete()
    Media.objects.all().delete()
    demo_data.load("finesse")
    assert past_days() == first


def test_every_code_for_being_not_ready_was_used_and_can_be_saved() -> None:
    demo_data.load("finesse")
    used = use_of([pk for pk in demo_data.REASON_CODES if pk < 2000])
    assert all(use.uses and use.agents for use in used.values()), used
    assert sum(use.now for use in used.values()) == 2
    for reason_code in ReasonCode.objects.filter(pk__in=demo_data.REASON_CODES):
        reason_code.full_clean()


def test_a_supervisor_of_one_team_and_one_of_both_can_be_tried() -> None:
    demo_data.load("finesse")
    for login_id, teams in (("2001", [1]), ("2002", [1, 2])):
        found = User.objects.get(pk=login_id).supervises().order_by("pk")
        assert list(found.values_list("pk", flat=True)) == teams


def test_ids_that_follow_the_demos_are_not_those_of_the_tests_cast(
    kept_database: Kept,
) -> None:
    """Sequences stay where the demo has set them, also for the tests that come after it."""
    demo_data.load("finesse")
    skip_ids()
    for rows in (kept_database.installed, kept_database.cast):
        empty_and_write(rows)
    for number in range(5):
        Team.objects.create(name=f"Another {number}")
