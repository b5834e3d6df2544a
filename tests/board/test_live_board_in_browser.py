"""Who is out of line, what the filter means, what can be chosen: the board in a real browser, as an
agent, a supervisor of one team, one of two, and an administrator."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.kit.axe import findings
from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.programs import needed
from tests.kit.window import LONG_TIMEOUT_MS, Window

OF_CHAT, OF_ALL = 8, 11
SETTING = """
from datetime import timedelta
from django.utils import timezone
from finesse.users.models import User
from media.models import Cause, Media
from media.states import Requested
from media.writing.acceptance import accept
from media.writing.requests import new_request
from media.writing.writer import apply_pending
from reasoncodes.models import ReasonCode
"""
OpenWindow = Callable[..., Window]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Gina has been on a break of 15 minutes for twenty, and Eva has a name with accents."""
    needed("chromium")
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    made.query(
        SETTING
        + "began = timezone.now() - timedelta(minutes=20)\n"
        + "Media.objects.filter(user='1238').update(state_change_time=began)\n"
        + "eva = User.objects.get(pk='1236')\n"
        + "eva.first_name, eva.last_name = 'Éva', 'Müller'\n"
        + "eva.save()\nprint(1)"
    )
    yield made
    made.end()


@pytest.fixture
def open_window(installation: Installation, browser: Browser) -> Iterator[OpenWindow]:
    windows: list[Window] = []

    def open_one(
        login: str, path: str = "/", width: int = 1400, init_script: str = "", **options: Any
    ) -> Window:
        windows.append(Window(browser, installation.url, width, 900, **options))
        windows[-1].context.add_init_script(init_script)
        windows[-1].sign_in_and_go_live(login, path)
        expect(cells(windows[-1].page).first).to_be_attached()
        return windows[-1]

    yield open_one
    for window in windows:
        assert window.problems == []
        window.context.close()


def cells(page: Page) -> Locator:
    return page.locator("tbody [data-source]")


def cell(page: Page, user: str, mrd: int | str) -> Locator:
    return page.get_by_test_id(f"row-{user}-{mrd}")


def put(installation: Installation, path: str, body: str, login: str) -> None:
    answer = httpx.put(
        f"{installation.url}/finesse/api/User/{path}",
        auth=(login, "finesse"),
        content=body,
        headers={"Content-Type": "application/xml", "requestId": f"of {login}"},
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code == 202, answer.text


def as_supervisor(installation: Installation, login: str, mrd: int, change: str) -> None:
    installation.query(
        f"{SETTING}accept([new_request({login!r}, {mrd}, {change}, cause=Cause.SUPERVISOR, "
        "actor='2001', note='See you at ten')])\nprint(1)"
    )


def test_who_is_over_the_limit_is_counted_sorted_first_and_shown_alone(
    open_window: OpenWindow,
) -> None:
    page = open_window("2001").page
    gina, over = cell(page, "1238", 5001), page.get_by_test_id("over-limit")
    expect(over).to_have_text("1 over the limit")
    # In words, not by colour alone.
    expect(gina.locator("[data-field=over]")).to_contain_text(" over")
    expect(cell(page, "1234", 5001).locator("[data-field=over]")).to_have_text("")

    page.get_by_role("button", name="Limit", exact=True).click()
    expect(cells(page).first).to_have_attribute("data-testid", "row-1238-5001")
    over.click()
    expect(cells(page)).to_have_count(1)
    page.reload()
    expect(cells(page)).to_have_count(1)
    expect(over).to_have_attribute("aria-pressed", "true")


def test_longer_than_some_minutes_is_a_limit_for_every_state(
    installation: Installation, open_window: OpenWindow
) -> None:
    installation.query(
        SETTING
        + "began = timezone.now() - timedelta(minutes=40)\n"
        + "Media.objects.filter(user='1237').update(state_change_time=began)\nprint(1)"
    )
    page = open_window("2001").page
    over = page.get_by_test_id("over-limit")
    page.get_by_label("Longer than").fill("30")
    expect(over).to_have_text("2 over the limit")
    expect(cell(page, "1237", 5000).locator("[data-field=over]")).to_contain_text(
        re.compile(r"1\d:")
    )
    page.get_by_label("Longer than").fill("1000")
    expect(over).to_have_text("1 over the limit")
    assert "longer=1000" in page.url


def test_a_state_that_lasts_too_long_is_marked_while_one_looks(
    installation: Installation, open_window: OpenWindow
) -> None:
    page = open_window("2001", "/?longer=30").page
    installation.query(
        SETTING
        + "began = timezone.now() - timedelta(minutes=30) + timedelta(seconds=4)\n"
        + "Media.objects.filter(user='1234', mrd=5001).update(state_change_time=began)\nprint(1)"
    )
    page.reload()
    ana = cell(page, "1234", 5001)
    expect(ana).to_have_attribute("data-limit", "over", timeout=LONG_TIMEOUT_MS)
    expect(ana.locator("[data-field=over]")).to_contain_text("over")


def test_the_filter_means_what_it_says_and_stays_in_the_address(
    installation: Installation, open_window: OpenWindow
) -> None:
    page = open_window("2002").page
    typed = page.get_by_test_id("filter")
    expect(cells(page)).to_have_count(OF_ALL)
    typed.fill("mull")
    expect(cells(page)).to_have_count(2)
    expect(cells(page).first).to_contain_text("Éva Müller")
    typed.fill("ready")
    expect(cell(page, "1237", 5000)).to_be_visible()
    expect(cell(page, "1238", 5001)).to_have_count(0)
    typed.fill("not ready")
    expect(cell(page, "1238", 5001)).to_be_visible()
    expect(cell(page, "1237", 5000)).to_have_count(0)
    typed.fill("break 5")
    expect(cells(page)).to_have_count(1)

    typed.fill("")
    page.get_by_text("Teams, MRDs and reasons").click()
    page.get_by_role("group", name="Teams").get_by_role("button", name="Back office").click()
    page.get_by_label("Signed-out agents").uncheck()
    expect(cells(page)).to_have_count(1)
    page.reload()
    expect(cells(page)).to_have_count(1)
    expect(cells(page)).to_contain_text("Hugo Blom")
    team = page.get_by_role("group", name="Teams").get_by_role("button", name="Back office")
    expect(team).to_have_attribute("aria-pressed", "true")

    # The stream obeys, too, and shows what it has kept when the choice is taken back.
    stream = page.get_by_test_id("stream")
    expect(stream.locator("li", has_text="Hugo Blom").first).to_be_visible()
    put(installation, "1234/Media/5001", "<Media><state>READY</state></Media>", "1234")
    put(installation, "1301/Media/5002", "<Media><state>READY</state></Media>", "1301")
    expect(cell(page, "1301", 5002).locator("[data-field=state]")).to_have_text("Ready")
    expect(stream.locator("li").first).to_contain_text("Hugo Blom")
    expect(stream.locator("li", has_text="Ana Lima")).to_have_count(0)
    team.click()
    expect(stream.locator("li", has_text="Ana Lima").first).to_be_visible()


def test_teams_and_reasons_are_counted_and_how_many_are_on_a_break(
    open_window: OpenWindow,
) -> None:
    page = open_window("2002").page
    page.get_by_text("Teams, MRDs and reasons").click()
    teams = page.get_by_role("group", name="Teams")
    chat = teams.get_by_role("button", name="Chat")
    expect(chat).to_contain_text("5")
    expect(chat).to_contain_text("1 on a break")
    reason = page.get_by_role("group", name="Reasons").get_by_role("button", name="Break")
    expect(reason).to_contain_text("1")


def test_one_row_an_agent_has_a_cell_for_each_mrd_and_for_the_desktop(
    installation: Installation, open_window: OpenWindow
) -> None:
    page = open_window("2001").page
    page.get_by_text("Row an agent").click()
    expect(page.locator("tbody tr[data-agent]")).to_have_count(5)
    expect(cell(page, "1235", 5000)).to_contain_text("Chat")
    expect(cell(page, "1235", "desktop")).to_have_count(0)
    body = "<User><state>LOGIN</state><extension>1001</extension></User>"
    put(installation, "1235", body, "1235")
    expect(cell(page, "1235", "desktop")).to_contain_text("Not ready", timeout=LONG_TIMEOUT_MS)
    page.reload()
    expect(cell(page, "1235", "desktop")).to_contain_text("Not ready")
    assert "rows=agents" in page.url
    page.get_by_text("Row an MRD").click()
    expect(page.locator("tbody tr[data-source]")).to_have_count(OF_CHAT)


def test_who_has_changed_a_state_is_named_with_the_note_also_after_a_reload(
    installation: Installation, open_window: OpenWindow
) -> None:
    page = open_window("admin").page
    as_supervisor(installation, "1237", 5000, "Requested.READY")
    as_supervisor(
        installation,
        "1237",
        5000,
        "Requested.LOGOUT, reason_code=ReasonCode.objects.get(pk=2002)",
    )
    farid = cell(page, "1237", 5000)
    for _ in range(2):
        expect(farid.locator("[data-field=state]")).to_have_text(
            "Signed out", timeout=LONG_TIMEOUT_MS
        )
        expect(farid.locator("[data-field=reason]")).to_have_text("Sick (2)")
        expect(farid.locator("[data-field=by]")).to_have_text("by Dana Ruiz: See you at ten")
        page.reload()


LISTEN = """() => document.querySelector("#board").addEventListener(
    "selection", ({ detail }) => (window.selected = detail))"""


@pytest.mark.parametrize(
    ("login", "rows"), [("2001", OF_CHAT), ("2002", OF_ALL), ("admin", OF_ALL)]
)
def test_what_one_may_act_on_can_be_chosen_and_nothing_out_of_sight(
    open_window: OpenWindow, login: str, rows: int
) -> None:
    page = open_window(login).page
    page.evaluate(LISTEN)
    expect(cells(page)).to_have_count(rows)
    page.get_by_test_id("select-all").check()
    assert page.evaluate("selected.length") == rows
    page.get_by_label("Select Ana Lima, Email").uncheck()
    assert page.evaluate("selected.length") == rows - 1
    page.get_by_test_id("filter").fill("ana")
    expect(cells(page)).to_have_count(2)
    assert page.evaluate("selected") == [
        {"source": "/finesse/api/User/1234/Media/5000", "agentId": "1234", "mrdId": "5000"}
    ]


def test_a_cell_that_the_filter_hides_is_not_chosen_any_more_although_its_agents_row_stays(
    open_window: OpenWindow,
) -> None:
    page = open_window("2001", "/?rows=agents").page
    page.evaluate(LISTEN)
    page.get_by_label("Select Gina Rossi", exact=True).check()
    page.get_by_label("Select Ana Lima", exact=True).check()
    assert page.evaluate("selected.length") == 3
    page.get_by_test_id("filter").fill("email")
    expect(cell(page, "1234", 5000)).to_have_count(0)
    assert page.evaluate("selected.map(({ mrdId }) => mrdId)") == ["5001", "5001"]


def test_agents_can_choose_nothing(open_window: OpenWindow) -> None:
    page = open_window("1234").page
    expect(cells(page)).to_have_count(2)
    expect(page.get_by_test_id("select-all")).to_be_hidden()
    expect(page.locator("tbody input")).to_have_count(2)
    expect(page.locator("tbody input").first).to_be_hidden()


def test_an_error_leads_to_its_page_and_a_replay_is_nothing_new(
    installation: Installation, open_window: OpenWindow
) -> None:
    put(installation, "1235/Media/5000", "<Media><state>READY</state></Media>", "1235")
    page = open_window("2001", width=960).page
    views = page.get_by_role("navigation", name="Views")
    expect(views.locator(".unread")).to_be_hidden()
    put(installation, "1235/Media/5000", "<Media><state>READY</state></Media>", "1235")
    expect(views.locator(".unread")).to_have_text("1 new", timeout=LONG_TIMEOUT_MS)
    views.get_by_role("button", name="Notifications").click()
    expect(views.locator(".unread")).to_be_hidden()
    page.get_by_role("link", name="What this error means").first.click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()


def test_a_row_keeps_the_focus_when_those_above_it_change_places(
    installation: Installation, open_window: OpenWindow
) -> None:
    page = open_window("2001", "/?sort=time").page
    expect(cells(page)).to_have_count(OF_CHAT)
    rows = page.locator("tbody tr[data-source]")
    source = rows.first.get_attribute("data-source")
    box = rows.nth(2).get_by_role("checkbox")
    name = box.get_attribute("aria-label")
    assert source
    assert name
    box.focus()
    login, mrd = re.search(r"/User/([^/]+)/Media/(\d+)", source).groups()  # type: ignore[union-attr]
    meeting = "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>"
    put(installation, f"{login}/Media/{mrd}", meeting, login)
    expect(rows.first).not_to_have_attribute("data-source", source)
    expect(page.locator("tbody input:focus")).to_have_attribute("aria-label", name)


def test_a_board_on_a_wall_has_no_controls_and_comes_back_after_a_restart(
    installation: Installation, open_window: OpenWindow
) -> None:
    window = open_window("2001", "/?wall=1&team=Chat&sort=over")
    page = window.page
    assert page.url.endswith("/?wall=1&team=Chat&sort=over")
    expect(cells(page)).to_have_count(OF_CHAT)
    for hidden in (page.get_by_test_id("filter"), page.get_by_role("button", name="Sign out")):
        expect(hidden).to_be_hidden()
    expect(page.get_by_test_id("stream")).to_be_hidden()
    expect(page.locator("tbody input:visible")).to_have_count(0)
    expect(page.get_by_role("group", name="Teams")).to_be_visible()
    installation.kill("server")
    window.expect_connection("reconnecting")
    installation.start()
    window.expect_connection("live")
    window.problems.clear()


@pytest.mark.parametrize("part", ["board/stream.js", "board/viewer.js", "board/viewer.css"])
def test_a_page_that_lacks_a_part_is_loaded_again(
    installation: Installation, browser: Browser, part: str
) -> None:
    window = Window(browser, installation.url, 1400, 900)
    window.sign_in_and_go_live("2001")
    address = f"{installation.url}/?team=Chat"

    def is_away(route: Route) -> None:
        if route.request.method == "HEAD":
            route.fulfill(status=502)
        else:
            route.continue_()

    window.context.route(f"**/static/{part}", lambda route: route.abort())
    window.context.route(address, is_away)
    # No page of an error, as a proxy makes it, takes the board's place.
    with window.page.expect_response(lambda answer: answer.status == 502):
        window.page.goto(address)
    if part.endswith(".js"):
        expect(window.page.get_by_test_id("connection")).to_contain_text("Not loaded completely")
    window.context.unroute(f"**/static/{part}")
    window.context.unroute(address)
    window.page.wait_for_function(
        "file => performance.getEntriesByName(file).some((it) => it.responseStatus === 200)",
        arg=f"{installation.url}/static/{part}",
    )
    window.expect_connection("live")
    assert window.page.url == address
    expect(cells(window.page)).to_have_count(OF_CHAT)
    window.context.close()


def test_nothing_sticks_out_and_every_column_can_be_read_at_any_width(
    open_window: OpenWindow,
) -> None:
    page = open_window("2001").page
    scroller, reason = page.locator(".board .scroller"), page.locator("tbody td.col-reason").first
    for rows in ("Row an agent", "Row an MRD"):
        page.get_by_text(rows).click()
        row = "tbody tr[data-source]" if rows == "Row an MRD" else "tbody tr[data-agent]"
        expect(page.locator(row).first).to_be_visible()
        for width in (320, 390, 720, 850, 960, 1080, 1199, 1200, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert scroller.evaluate("it => it.scrollWidth <= it.clientWidth"), width
            if rows == "Row an MRD":
                assert reason.evaluate("it => it.offsetWidth") >= 96, width


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (390, "light")])
def test_axe_finds_nothing(open_window: OpenWindow, width: int, scheme: str) -> None:
    page = open_window("2001", width=width, color_scheme=scheme).page
    page.get_by_text("Teams, MRDs and reasons").click()
    assert findings(page) == []
    page.get_by_text("Row an agent").click()
    expect(page.locator("tbody tr[data-agent]")).to_have_count(5)
    assert findings(page) == []


@contextmanager
def many_agents(installation: Installation) -> Iterator[None]:
    """Three hundred more, in Tasks."""
    installation.query(
        SETTING
        + "made = [User(pk=f'x{n:03}', first_name=f'Zed {n:03}', team_id=2, password='!')"
        + " for n in range(300)]\n"
        + "User.objects.bulk_create(made)\n"
        + "Media.objects.bulk_create(Media(user=one, mrd_id=5002) for one in made)\nprint(1)"
    )
    try:
        yield
    finally:
        installation.query(SETTING + "User.objects.filter(pk__startswith='x').delete()\nprint(1)")


def test_of_many_agents_only_those_near_the_view_are_rendered_and_the_rest_is_reached(
    installation: Installation, open_window: OpenWindow
) -> None:
    with many_agents(installation):
        page = open_window("admin").page
        table = page.locator(".board table")
        expect(table).to_have_attribute("aria-rowcount", str(OF_ALL + 300 + 1))
        assert cells(page).count() < 150
        page.locator(".board .scroller").evaluate("it => it.scrollTo(0, it.scrollHeight)")
        last = cell(page, "x299", 5002)
        expect(last).to_be_visible()
        expect(last).to_have_attribute("aria-rowindex", str(OF_ALL + 300 + 1))
        page.locator(".board .scroller").evaluate("it => it.scrollTo(0, 0)")
        # By keyboard, past the rows that were rendered at first.
        page.get_by_label("Select Ana Lima, Chat").focus()
        for _ in range(80):
            page.keyboard.press("Tab")
        expect(page.locator("tbody input:focus")).to_be_visible()
        expect(page.locator("tbody input:focus")).to_have_attribute(
            "aria-label", "Select Zed 069, Tasks"
        )


def test_a_key_that_is_held_down_meets_every_row(
    installation: Installation, open_window: OpenWindow
) -> None:
    """The browser's own word of what is near the view comes after the next press of the key."""
    deaf = "window.IntersectionObserver = class { observe() {} unobserve() {} }"
    with many_agents(installation):
        page = open_window("admin", init_script=deaf).page
        page.get_by_label("Select Ana Lima, Chat").focus()
        for _ in range(80):
            page.keyboard.press("Tab")
        expect(page.locator("tbody input:focus")).to_have_attribute(
            "aria-label", "Select Zed 069, Tasks"
        )
