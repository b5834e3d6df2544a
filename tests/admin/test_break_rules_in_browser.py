"""A supervisor makes a break rule in a real browser, and agents meet it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.kit.axe import findings
from tests.kit.page_policy import violations

LIST = "/admin/media/breakrule/"
SAYS = (
    "At most 1 of the team at once. 30 min, then a reminder to the agent; 15 min later Not ready "
    "for “Course”."
)


def add_rule(dana: Any) -> None:
    dana.start()
    dana.follow("Break rules")
    dana.page.get_by_role("link", name="Add break rule").click()
    expect(dana.page.locator("#says")).to_contain_text("missing or wrong")


def fill_in(dana: Any, reason: str) -> None:
    page = dana.page
    page.locator("#id_reason_code").select_option(label=reason)
    page.locator("#id_most_at_once").fill("1")
    page.locator("#id_maximum_minutes").fill("30")
    page.locator("#id_tell_agent_after").fill("0")
    page.locator("#id_then").select_option(label="Not ready, for another reason")
    page.locator("#id_then_reason_code").select_option(label="Course (6)")
    page.locator("#id_then_after").fill("15")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_shows_what_means_something_and_says_the_rule_while_it_is_filled_in(
    person: Any,
    scheme: str,
) -> None:
    dana = person("2001", color_scheme=scheme, viewport={"width": 320, "height": 800})
    page = dana.page
    add_rule(dana)
    for name in ("then_reason_code", "then_after", "time_zone"):
        expect(page.locator(f"#id_{name}")).to_be_hidden()
    fill_in(dana, "Team meeting (2)")
    expect(page.locator("#says")).to_have_text(SAYS)
    page.locator("#id_budget_minutes").fill("60")
    expect(page.locator("#id_time_zone")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    # Before axe, which has styles of its own.
    assert violations(page) == []
    assert findings(page) == []


def test_a_rule_is_made_refused_where_it_is_wrong_and_seen_by_all(
    person: Any,
) -> None:
    dana = person("2001", viewport={"width": 390, "height": 800})
    page = dana.page
    add_rule(dana)
    dana.press("Save")
    expect(page.locator(".field-reason_code .errorlist")).to_contain_text("required")
    assert findings(page) == []
    # By keyboard alone from here on.
    page.locator("#id_reason_code").focus()
    page.keyboard.type("Break")
    fill_in(dana, "Break (5)")
    page.locator("#id_then_after").press("Enter")
    dana.expect_said(SAYS)
    expect(dana.row("Break")).to_contain_text(SAYS)
    assert findings(page) == []
    dana.row("Break").get_by_role("link", name="History").click()
    expect(page.locator("#change-history")).to_contain_text(f"Made: {SAYS}")
    assert findings(page) == []
    page.goto(f"{dana.url}/admin/reasoncodes/reasoncode/preview/?agent=1234")
    expect(page.locator(".agent-list li").filter(has_text="Break")).to_contain_text(SAYS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Before axe, which has styles of its own.
    assert violations(page) == []
    assert findings(page) == []


def test_the_second_of_two_who_edit_a_rule_is_told_and_loses_nothing(
    person: Any,
) -> None:
    dana, sam = person("2001"), person("2002")
    add_rule(dana)
    page = dana.page
    page.locator("#id_reason_code").select_option(label="Course (6)")
    expect(page.locator("#id_when_full")).to_be_hidden()
    page.locator("#id_most_at_once").fill("2")
    page.locator("#id_when_full").select_option(value="queue")
    says = "At most 2 of the team at once, the next ones may wait for a place."
    expect(page.locator("#says")).to_have_text(says)
    assert findings(page) == []
    dana.press("Save")
    dana.expect_said(says)
    for one in (dana, sam):
        one.page.goto(f"{one.url}{LIST}")
        one.row("Course").get_by_role("link", name="Course", exact=True).click()
        expect(one.page.locator("#id_most_at_once")).to_have_value("2")
    sam.page.locator("#id_most_at_once").fill("3")
    sam.press("Save")
    sam.expect_said("At most 3 of the team at once")
    page.locator("#id_most_at_once").fill("4")
    page.locator("#id_maximum_minutes").fill("45")
    dana.press("Save")
    expect(page.locator(".errornote, .errorlist").last).to_be_visible()
    expect(page.locator("#content")).to_contain_text("It was changed while you had it open.")
    expect(page.locator("#content")).to_contain_text("Is: At most 3 of the team at once")
    expect(page.locator("#id_most_at_once")).to_have_value("4")
    expect(page.locator("#id_maximum_minutes")).to_have_value("45")
    assert findings(page) == []
    dana.press("Save")
    dana.expect_said("At most 4 of the team at once, the next ones may wait for a place. 45 min")


def test_an_agent_does_not_get_there(person: Any) -> None:
    ana = person("1234", lands_on="/admin/login/?next=/admin/")
    for address in (LIST, f"{LIST}add/"):
        ana.page.goto(f"{ana.url}{address}")
        expect(ana.page.get_by_role("alert")).to_contain_text("may not come in here")
