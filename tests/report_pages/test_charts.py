"""The charts of the reports: what they draw, where, and that no policy or browser refuses it."""

from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pytest
from defusedxml.ElementTree import fromstring

from media.report_pages.charts.bars import bar
from media.report_pages.charts.columns import Column, Part, columns, step_of
from media.report_pages.charts.drawing import element, percent
from media.report_pages.charts.looks import Looks
from media.report_pages.charts.timeline import Segment, axis, full_hours, line
from media.report_pages.durations import share, spoken

EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in fromstring(svg).iter("text")]


def plain(text: str) -> str:
    """With ordinary blanks."""
    return " ".join(text.split())


def rects(svg: str) -> list[Element]:
    return list(fromstring(svg).iter("rect"))


def test_what_people_have_typed_cannot_become_markup() -> None:
    drawn = element("title", "<script>alert(1)</script>", aria_label='"><b>')
    assert "<script>" not in drawn
    assert fromstring(drawn).attrib["aria-label"] == '"><b>'


def test_no_chart_has_a_style_that_the_policy_would_refuse() -> None:
    looks = Looks()
    part = Part(60, looks.fill("NOT_READY", "Lunch", "#b0700a"), "Lunch")
    drawn = [
        line([Segment(EIGHT, EIGHT + HOUR, part.fill, "Lunch")], EIGHT, EIGHT + HOUR, "A day"),
        axis(EIGHT, EIGHT + HOUR, ZoneInfo("UTC")),
        columns([Column("08:00", [part])], "Over time"),
        bar([part], 60),
        looks.definitions(),
    ]
    for svg in drawn:
        assert not [one for one in fromstring(svg).iter() if "style" in one.attrib]


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 4, "25%"), (5, 4, "100%"), (-1, 4, "0%"), (1, 0, "0%"), (1, 3, "33.333%")],
)
def test_nothing_sticks_out_of_a_chart(part: float, whole: float, expected: str) -> None:
    assert percent(part, whole) == expected


def test_a_stay_is_drawn_where_it_was_and_cut_to_what_is_shown() -> None:
    drawn = rects(
        line(
            [
                Segment(EIGHT - HOUR, EIGHT + HOUR, "url(#look-0)", "Ready"),
                Segment(EIGHT + 2 * HOUR, EIGHT + 9 * HOUR, "url(#look-1)", "Lunch"),
                Segment(EIGHT + 5 * HOUR, EIGHT + 6 * HOUR, "url(#look-1)", "Tomorrow"),
            ],
            EIGHT,
            EIGHT + 4 * HOUR,
            "A day",
        )
    )
    assert [(one.get("x"), one.get("width")) for one in drawn] == [("0%", "25%"), ("50%", "50%")]


def test_signed_out_is_a_thin_line_without_a_colour() -> None:
    (drawn,) = rects(
        line([Segment(EIGHT, EIGHT + HOUR, "", "Signed out")], EIGHT, EIGHT + HOUR, "")
    )
    assert drawn.get("fill") is None
    assert drawn.get("class") == "absent"


def test_a_screen_reader_hears_what_a_line_is_about() -> None:
    drawn = fromstring(line([], EIGHT, EIGHT + HOUR, "Chat on 23 November"))
    assert (drawn.get("role"), drawn.get("aria-label")) == ("img", "Chat on 23 November")


def test_hours_are_those_of_the_zone_even_where_it_has_half_hours() -> None:
    shown = texts(axis(EIGHT, EIGHT + 2 * HOUR, ZoneInfo("Asia/Kolkata")))
    assert shown == ["14:00", "15:00"]


def test_an_hour_that_comes_twice_is_drawn_twice_and_one_that_is_left_out_not_at_all() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    back = datetime(2026, 10, 25, 0, tzinfo=berlin).astimezone(UTC)
    hours = [f"{at.astimezone(berlin):%H}" for at in full_hours(back, back + 4 * HOUR, berlin)]
    assert hours == ["00", "01", "02", "02", "03"]
    forward = datetime(2026, 3, 29, 0, tzinfo=berlin).astimezone(UTC)
    hours = [
        f"{at.astimezone(berlin):%H}" for at in full_hours(forward, forward + 3 * HOUR, berlin)
    ]
    assert hours == ["00", "01", "03", "04"]


def test_columns_are_as_high_as_they_last_and_their_parts_do_not_overlap() -> None:
    shown = [
        Column("08:00", [Part(1_800, "url(#a)", "Ready"), Part(1_800, "url(#b)", "Lunch")]),
        Column("09:00", [Part(900, "url(#a)", "Ready")]),
    ]
    first, second, third = rects(columns(shown, "Over time"))
    assert float(first.get("height", 0)) == float(second.get("height", 0)) > 0
    assert float(second.get("y", 0)) + float(second.get("height", 0)) == float(first.get("y", 0))
    assert float(third.get("height", 0)) * 2 == float(first.get("height", 0))


def test_columns_without_anything_are_drawn_all_the_same() -> None:
    assert not rects(columns([Column("08:00", [])], "Over time"))
    assert not rects(columns([], "Over time"))


def test_a_hundred_columns_have_a_few_labels() -> None:
    shown = [Column(str(number), [Part(60, "url(#a)", "")]) for number in range(100)]
    labels = [text for text in texts(columns(shown, "")) if text.isdecimal()]
    assert 4 <= len(labels) <= 8


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(0, 60), (240, 60), (3_600, 900), (86_400 * 9, 360_000), (36_000_000, 9_000_000)],
)
def test_lines_across_are_few_and_round(highest: float, expected: int) -> None:
    assert step_of(highest) == expected


def test_two_reasons_of_one_colour_have_two_patterns() -> None:
    looks = Looks()
    looks.fill("NOT_READY", "Lunch", "#b0700a")
    looks.fill("NOT_READY", "Break", "#b0700a")
    lunch, short = fromstring(looks.definitions()).iter("pattern")
    assert lunch.find("rect").get("fill") == short.find("rect").get("fill") == "#b0700a"
    assert lunch.find("path").get("d") != short.find("path").get("d")


def test_a_state_and_a_reason_look_the_same_in_all_charts_of_a_page() -> None:
    looks = Looks()
    first = looks.fill("NOT_READY", "Lunch")
    looks.fill("READY")
    assert looks.fill("NOT_READY", "Lunch") == first
    assert first in looks.swatch("NOT_READY", "Lunch")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (42, "42 s"),
        (59.7, "1 min"),
        (425, "7 min 05 s"),
        (3_599.6, "1 h 00 min"),
        (3_900, "1 h 05 min"),
        (4_000_000, "1,111 h 07 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, expected: str) -> None:
    assert plain(spoken(seconds)) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [(0, "0 %"), (1, "< 1 %"), (500, "50 %"), (999, "> 99 %"), (1_000, "100 %")],
)
def test_a_share_does_not_say_nothing_of_a_little(part: float, expected: str) -> None:
    assert plain(share(part, 1_000)) == expected
    assert share(part, 0) == "–"
