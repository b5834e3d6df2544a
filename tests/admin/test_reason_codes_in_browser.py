"""What supervisors do with reason codes, in a real browser: clicks are counted, typing is not.

Each task starts on the administration's first page, and ends when it is done and said so.
"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.kit.axe import findings_in_both_schemes
from tests.kit.guide import takes
from tests.kit.installation import Installation
from tests.kit.page_policy import violations

LIST = "/admin/reasoncodes/reasoncode/"
MAKE_SUPERVISOR_OF_TWO = """
from finesse.users.models import Team, User
fields = {"first_name": "Eli", "is_supervisor": True}
user, _ = User.objects.get_or_create(pk="2002", defaults=fields)
user.set_password("finesse")
user.save()
user.supervised_teams.set(Team.objects.all())
"""


@pytest.fixture(scope="module")
def supervisor_of_two(installation: Installation) -> str:
    installation.manage("shell", "--no-imports", "-c", MAKE_SUPERVISOR_OF_TWO)
    return "2002"


def test_a_supervisor_makes_retires_and_brings_back_a_code_with_few_clicks(person: Any) -> None:
    dana = person("2001")
    dana.start()
    dana.page.locator(".model-reasoncode").get_by_role("link", name="Add").click()
    dana.page.get_by_label("Label", exact=False).first.fill("Training")
    # What Ana would get stands beside the form before anything is saved.
    expect(dana.page.locator(".preview li.new")).to_contain_text("Training")
    dana.press("Save")
    dana.expect_said("agents can choose it from now on")
    assert dana.clicks == takes("create a code for my team") <= 4

    dana.start()
    dana.follow("Reason codes")
    dana.row("Training").get_by_role("link", name="Retire").click()
    dana.press("Retire")
    dana.expect_said("Retired: “Training”.")
    assert dana.clicks == takes("retire one") <= 3

    dana.start()
    dana.follow("Reason codes")
    dana.row("Training").get_by_role("link", name="Bring back").click()
    dana.press("Bring back")
    dana.expect_said("Offered again: “Training”.")
    assert dana.clicks == takes("bring it back") <= 3
    dana.press("Undo")
    dana.expect_said("is again as it was")
    assert dana.clicks == takes("bring it back") + takes("take back what I just did")
    expect(dana.row("Training")).to_contain_text("Retired")
    assert violations(dana.page) == []


def test_who_changed_a_code_and_what_ana_sees_take_two_clicks(person: Any) -> None:
    dana = person("2001")
    dana.start()
    dana.follow("Reason codes")
    dana.row("Coaching").get_by_role("link", name="History").click()
    expect(dana.page.locator("#content")).to_contain_text("Coaching")
    assert dana.clicks == takes("see who changed a code") <= 2

    dana.start()
    dana.follow("What agents see")
    dana.page.get_by_role("link", name="Ana Lima").click()
    expect(dana.page.locator(".lists")).to_contain_text("Ana Lima")
    dana.page.wait_for_load_state()
    labels = dana.page.locator(".lists section").first.locator(".label").all_inner_texts()
    assert labels[:3] == ["Lunch", "Team meeting", "Coaching"]
    assert dana.clicks == takes("see what Ana sees") <= 2
    assert violations(dana.page) == []


def test_several_are_retired_at_once_by_their_boxes(person: Any, supervisor_of_two: str) -> None:
    eli = person(supervisor_of_two)
    eli.page.goto(f"{eli.url}{LIST}add/")
    assert eli.page.locator("[name=teams]:checked").count() == 0
    eli.page.get_by_label("Back office").check()
    eli.page.get_by_role("radio", name="Sign out").check()
    code = eli.page.locator("#id_code")
    free = code.get_attribute("data-free-logout")
    assert free != code.get_attribute("data-free-not_ready")
    expect(code).to_have_value(str(free))
    eli.page.locator("#id_label").fill("Night shift")
    eli.press("Save")
    for label in ("Night shift", "Coaching"):
        eli.row(label).get_by_role("checkbox").check()
    eli.press("Retire")
    eli.press("Retire 2")
    eli.expect_said("“Night shift”")
    eli.press("Undo")
    eli.expect_said("is again as it was")
    expect(eli.row("Coaching")).not_to_contain_text("Retired")
    assert violations(eli.page) == []


def test_an_administrator_chooses_everybody_or_teams_never_both(person: Any) -> None:
    admin = person("admin")
    admin.page.goto(f"{admin.url}{LIST}add/")
    admin.page.locator("#id_label").fill("Fire drill")
    admin.press("Save")
    expect(admin.page.locator(".field-teams .errorlist")).to_contain_text("Nobody would get it")
    admin.page.get_by_label("Everybody").check()
    expect(admin.page.locator(".field-teams")).to_be_hidden()
    admin.press("Save")
    admin.expect_said("“Fire drill” is there")
    expect(admin.row("Fire drill")).to_contain_text("everybody")


def test_the_second_of_two_is_told_in_the_form(person: Any, supervisor_of_two: str) -> None:
    first, second = person("2001"), person(supervisor_of_two)
    for one in (first, second):
        one.page.goto(f"{one.url}{LIST}1003/change/")
    first.page.locator("#id_label").fill("Coaching with Kim")
    first.press("Save")
    first.expect_said("is changed")
    second.page.locator("#id_label").fill("Coaching with Lee")
    second.press("Save")
    expect(second.page.locator(".errorlist").first).to_contain_text(
        "Label: Coaching → Coaching with Kim"
    )
    expect(second.page.locator("#id_label")).to_have_value("Coaching with Lee")
    first.press("Undo")
    first.expect_said("is again as it was")


def test_an_agent_does_not_get_there(person: Any) -> None:
    ana = person("1234", lands_on="/admin/login/?next=/admin/")
    for address in (LIST, f"{LIST}add/", f"{LIST}1003/retire/", f"{LIST}preview/"):
        ana.page.goto(f"{ana.url}{address}")
        expect(ana.page.get_by_role("alert")).to_contain_text("may not come in here")
        expect(ana.page.get_by_text("Coaching")).to_have_count(0)


LOOKED_AT = (
    "/admin/",
    "/admin/password_change/",
    "/account/",
    "/password/",
    "/admin/media/breakrule/add/",
    LIST,
    f"{LIST}import/",
    f"{LIST}export/",
    "/admin/reasoncodes/historicalreasoncode/",
    f"{LIST}?stage=retired",
    f"{LIST}add/",
    f"{LIST}1003/change/",
    f"{LIST}1001/change/",
    f"{LIST}1003/retire/",
    f"{LIST}1003/replace/",
    f"{LIST}1003/history/",
    f"{LIST}preview/",
    "/admin/users/team/",
    "/admin/users/team/1/change/",
)
BETWEEN = {1400: (1024, 960)}
"""Widths at which no layout of its own begins: only whether everything fits is looked at."""
OF_ADMINISTRATORS = (
    "/admin/media/breakrule/",
    "/admin/media/mediaroutingdomain/",
    "/admin/media/mediaroutingdomain/add/",
    "/admin/media/mediarequest/",
    "/admin/users/signinfailures/",
    "/admin/users/user/1234/password/",
    "/admin/users/user/1234/history/",
    "/admin/users/user/",
    "/admin/users/user/import/",
    "/admin/users/user/export/",
    "/admin/users/user/1234/account/",
    "/admin/users/team/1/change/",
    "/admin/users/team/add/",
    "/admin/media/media/add/",
    "/admin/users/user/add/",
    "/admin/users/user/1234/change/",
    "/admin/media/media/",
    "/admin/media/mediaroutingdomain/5000/change/",
    "/admin/media/stateinterval/",
    "/admin/notifications/notification/",
    f"{LIST}1001/delete/",
)


@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_nothing(person: Any, width: int) -> None:
    look: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": "light"}
    found: dict[str, list[str]] = {}
    for login, pages in (("2001", LOOKED_AT), ("admin", OF_ADMINISTRATORS)):
        one = person(login, **look)
        for address in pages:
            one.page.goto(f"{one.url}{address}", wait_until="load")
            problems = findings_in_both_schemes(one.page)
            for tried in (width, *BETWEEN.get(width, ())):
                one.page.set_viewport_size({"width": tried, "height": 900})
                problems += _too_wide(one.page)
            one.page.set_viewport_size({"width": width, "height": 900})
            if problems:
                found[address] = problems
    assert not found, "\n".join(f"{address}: {problems}" for address, problems in found.items())


def test_on_a_phone_a_value_has_the_name_of_its_column_and_nothing_of_a_field_is_cut(
    person: Any,
) -> None:
    admin = person("admin", viewport={"width": 390, "height": 900})
    admin.page.goto(f"{admin.url}/admin/media/media/")
    named = admin.page.locator("#result_list td.field-mrd").first
    expect(named).to_have_attribute("data-label", "Media routing domain")
    admin.page.goto(f"{admin.url}/admin/media/stateinterval/")
    # The placeholder is the only word on what can be looked for.
    search = admin.page.locator("#searchbar")
    assert search.bounding_box()["width"] > 200
    expect(admin.page.locator("#changelist-search")).not_to_contain_text("show all")
    admin.page.goto(f"{admin.url}{LIST}1001/change/")
    admin.page.locator("summary").first.click()
    box = admin.page.get_by_role("checkbox", name="Show a colour").bounding_box()
    label = admin.page.locator(".colour .choice").bounding_box()
    assert box["x"] - label["x"] < box["width"]
    admin.page.goto(f"{admin.url}/admin/users/user/1234/change/")
    expect(admin.page.locator("td.original p").first).to_be_hidden()
    expect(admin.page.locator(".field-made")).not_to_contain_text(".m.")


def _too_wide(page: Page) -> list[str]:
    """Nothing stands beside the window: a phone would show a part of the page."""
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{width} px too wide"] if width > 0 else []
