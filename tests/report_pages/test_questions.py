"""What the address of a report asks for, and where its links lead."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest

from media.report_pages import links
from media.report_pages.questions import KEYS, PRESETS, question_of
from media.reports.periods import Period, RefusedError, Step

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
"""A Thursday; in Berlin it is Friday already."""
NEXT_TWO = ("2026-11-26", "2026-11-27")


def days_of(address: dict[str, str], zone: ZoneInfo = UTC_ZONE) -> tuple[str, str]:
    period = question_of(address, zone, NOW).period
    return f"{period.first_day}", f"{period.last_day}"


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("today", "2026-11-26", "2026-11-26"),
        ("yesterday", "2026-11-25", "2026-11-25"),
        ("this-week", "2026-11-23", "2026-11-29"),
        ("last-week", "2026-11-16", "2026-11-22"),
        ("this-month", "2026-11-01", "2026-11-30"),
        ("last-month", "2026-10-01", "2026-10-31"),
    ],
)
def test_each_preset_is_of_whole_days(preset: str, first: str, last: str) -> None:
    assert days_of({"period": preset}) == (first, last)


def test_today_is_the_day_of_the_zone_in_which_the_reader_is() -> None:
    assert days_of({}) == ("2026-11-26", "2026-11-26")
    assert days_of({}, BERLIN) == ("2026-11-27", "2026-11-27")
    assert days_of({"zone": "Europe/Berlin"}) == ("2026-11-27", "2026-11-27")


def test_days_of_ones_own_come_before_a_preset() -> None:
    asked = {"period": "today", "from": "2026-11-01", "to": "2026-11-03"}
    assert days_of(asked) == ("2026-11-01", "2026-11-03")
    assert question_of(asked, UTC_ZONE, NOW).preset == ""
    assert days_of({"from": "2026-11-01"}) == ("2026-11-01", "2026-11-01")


@pytest.mark.parametrize(
    "address",
    [
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "20261101"},
        {"from": "2026-11-09", "to": "2026-11-01"},
        {"from": "0001-01-01"},
        {"from": "9999-12-31"},
        {"from": "2016-11-01", "to": "2026-11-01", "step": "15m"},
        {"from": "2026-01-01", "to": "2026-11-01", "step": "15m"},
        {"from": "２０２６-11-01"},
        {"period": "next-week"},
        {"period": "\x00"},
        {"step": "1s"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"zone": "Europe"},
        {"zone": "\x00"},
        {"zone": "x" * 5_000},
    ],
)
@pytest.mark.parametrize("zone", [UTC_ZONE, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")])
def test_an_address_that_makes_no_sense_is_refused_in_words(
    address: dict[str, str], zone: ZoneInfo
) -> None:
    with pytest.raises(RefusedError) as refused:
        question_of(address, zone, NOW)
    text = str(refused.value)
    assert text.endswith((".", "below."))
    assert len(text) < 200


def test_a_day_is_in_hours_a_month_in_days_and_half_a_year_in_weeks() -> None:
    for address, expected in (
        ({}, Step.HOUR),
        ({"period": "last-month"}, Step.DAY),
        ({"from": "2026-01-01", "to": "2026-06-30"}, Step.WEEK),
        ({"step": "15m"}, Step.MINUTES_15),
    ):
        assert question_of(address, UTC_ZONE, NOW).step is expected


def test_links_keep_what_was_asked_and_nothing_else() -> None:
    question = question_of(
        {"period": "today", "team": "1", "zone": "Europe/Berlin", "evil": "1"}, UTC_ZONE, NOW
    )
    kept = parse_qs(links.address(question, period="yesterday")[1:])
    assert kept == {"period": ["yesterday"], "team": ["1"], "zone": ["Europe/Berlin"]}
    assert {*kept} <= {*KEYS}


def test_a_preset_stays_one_so_that_its_bookmark_is_of_the_day_it_is_opened() -> None:
    question = question_of({"from": "2026-11-01", "team": "1"}, UTC_ZONE, NOW)
    for preset in links.presets(question):
        assert parse_qs(preset.link[1:]) == {"period": [preset.name], "team": ["1"]}
        assert preset.name in PRESETS
        assert not preset.is_current


@pytest.mark.parametrize(
    ("address", "before", "after"),
    [
        ({"from": "2026-11-25"}, ("2026-11-24", "2026-11-24"), ("2026-11-26", "2026-11-26")),
        ({"period": "today"}, ("2026-11-25", "2026-11-25"), None),
        ({"period": "last-week"}, ("2026-11-09", "2026-11-15"), ("2026-11-23", "2026-11-29")),
        ({"period": "last-month"}, ("2026-09-01", "2026-09-30"), ("2026-11-01", "2026-11-30")),
        ({"from": "2026-11-24", "to": "2026-11-25"}, ("2026-11-22", "2026-11-23"), NEXT_TWO),
    ],
)
def test_earlier_and_later_lead_to_a_time_of_the_same_kind_and_never_into_the_future(
    address: dict[str, str], before: tuple[str, str], after: tuple[str, str] | None
) -> None:
    question = question_of(address, UTC_ZONE, NOW)
    for link, expected in ((links.earlier(question), before), (links.later(question), after)):
        asked = parse_qs(link[1:])
        assert (asked["from"][0], asked["to"][0]) == expected if expected else link == ""


def test_the_time_and_the_zone_are_said_in_words() -> None:
    day = question_of({"from": "2026-11-25"}, BERLIN, NOW)
    assert links.period_words(day) == "Wednesday, 25 November 2026"
    assert links.zone_words(day) == "Europe/Berlin (UTC+01:00)"
    changing = question_of({"from": "2026-10-24", "to": "2026-10-25"}, BERLIN, NOW)
    assert links.period_words(changing) == "Sat 24 October to Sun 25 October 2026"
    assert links.zone_words(changing) == "Europe/Berlin (UTC+02:00, in the end UTC+01:00)"


@pytest.mark.parametrize(
    "zone", ["America/Santiago", "Africa/Cairo", "Asia/Beirut", "Europe/Berlin"]
)
def test_a_day_before_one_without_a_midnight_ends_with_itself(zone: str) -> None:
    """Where clocks go forward at midnight, the day's end is one o'clock of the next."""
    year = Period.days(date(2026, 1, 1), date(2026, 12, 31), ZoneInfo(zone))
    for bucket in year.buckets(Step.DAY):
        day = Period(start=bucket.start, end=bucket.end, zone=year.zone)
        assert (day.first_day, day.last_day) == (bucket.start.date(), bucket.start.date())
