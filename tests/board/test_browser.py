"""The viewer in a real browser, with a real installation."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.kit.browsers import OpenWindow
from tests.kit.installation import ON_SERVICES, Installation
from tests.kit.pages import sign_in
from tests.kit.window import LONG_TIMEOUT_MS

OF_CHAT, OF_ALL = 8, 11
"""Rows of the demo's board, for the supervisor of its team Chat and for its administrator."""
LOGIN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>"
)
READY = "<Media><state>READY</state></Media>"
LUNCH = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"
MEETING = "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>"


@pytest.fixture
def put(installation: Installation) -> Callable[..., None]:
    def change(user: str, mrd: int, body: str, request_id: str) -> None:
        response = httpx.put(
            f"{installation.url}/finesse/api/User/{user}/Media/{mrd}",
            auth=(user, "finesse"),
            content=body,
            headers={"Content-Type": "application/xml", "requestId": request_id},
            timeout=60,
        )
        assert response.status_code == 202, response.text

    return change


Put = Callable[[str, int, str, str], None]


def test_a_supervisor_sees_at_once_that_an_agent_went_to_lunch(
    installation: Installation, open_window: OpenWindow, put: Put
) -> None:
    put("1234", 5001, READY, "r-0")
    window = open_window()
    window.sign_in_and_go_live("2001")
    row = window.row("1234", 5001)
    expect(row).to_contain_text("Ana Lima")
    expect(row.locator("[data-field=state]")).to_have_text("Ready")

    put("1234", 5001, LUNCH, "r-1")
    expect(row.locator("[data-field=state]")).to_have_text("Not ready")
    expect(row.locator("[data-field=reason]")).to_have_text("Lunch (1)")
    item = window.item("r-1")
    expect(item).to_have_count(1)
    expect(item).to_contain_text("Ana Lima")
    expect(item).to_contain_text("Not ready · Lunch")
    item.locator("summary").click()
    expect(item.locator("pre")).to_contain_text("<state>NOT_READY</state>")
    expect(item.locator("pre")).to_contain_text("<requestId>r-1</requestId>")

    address = f"{installation.url}/finesse/api/User/1234/Media/5001"
    media = httpx.get(address, auth=("1234", "finesse"), timeout=60)
    assert media.status_code == 200
    assert "<state>NOT_READY</state>" in media.text
    assert "<label>Lunch</label>" in media.text
    assert window.problems == []


def test_each_user_sees_their_own_media_and_no_others(open_window: OpenWindow, put: Put) -> None:
    chi, dana, admin = open_window(), open_window(), open_window()
    chi.sign_in_and_go_live("1300")
    dana.sign_in_and_go_live("2001")
    admin.sign_in_and_go_live("admin")
    expect(chi.rows).to_have_count(1)
    expect(chi.rows).to_contain_text("Chi Wong")
    expect(dana.rows).to_have_count(OF_CHAT)
    expect(dana.page.get_by_test_id("board")).not_to_contain_text("Chi Wong")
    expect(admin.rows).to_have_count(OF_ALL)

    # Notifications come in order: a socket with the last one would have the others, too.
    for user, mrd, body, request_id in (
        ("1234", 5001, MEETING, "own-1"),
        ("1300", 5002, LOGIN, "own-2"),
        ("1234", 5001, LUNCH, "own-3"),
        ("1300", 5002, READY, "own-4"),
    ):
        put(user, mrd, body, request_id)
        expect(admin.item(request_id)).to_have_count(1)
    expect(dana.item("own-3")).to_have_count(1)
    expect(chi.item("own-4")).to_have_count(1)
    expect(chi.rows.locator("[data-field=state]")).to_have_text("Ready")

    expect(dana.item("own-1")).to_have_count(1)
    assert dana.item("own-2").count() == 0
    assert dana.sources() >= {"/finesse/api/User/1234/Media/5001"}
    assert not [source for source in dana.sources() if "/User/1300/" in source]
    expect(chi.item("own-2")).to_have_count(1)
    # The user itself was published when the demo was loaded, and so were the reason codes.
    of_users = {source for source in chi.sources() if "/User/" in source}
    assert of_users == {"/finesse/api/User/1300", "/finesse/api/User/1300/Media/5002"}
    filing, coaching = "/finesse/api/ReasonCode/1004", "/finesse/api/ReasonCode/1003"
    assert filing in chi.sources()
    assert coaching not in chi.sources()
    assert chi.item("own-1").count() == chi.item("own-3").count() == 0
    expect(chi.rows).to_have_count(1)
    assert chi.problems == dana.problems == admin.problems == []


def test_an_asynchronous_error_is_shown_and_leaves_the_board_alone(
    open_window: OpenWindow, put: Put
) -> None:
    window = open_window()
    window.sign_in_and_go_live("2001")
    expect(window.rows).to_have_count(OF_CHAT)
    before = window.states()

    put("1235", 5000, READY, "r-error")
    item = window.item("r-error")
    expect(item).to_contain_text("E_ARM_STAT_AGENT_NOT_LOGGED_IN")
    expect(item).to_contain_text("Ben Okoro")
    expect(item).to_have_attribute("data-kind", "error")
    item.locator("summary").click()
    expect(item.locator("pre")).to_contain_text("<requestId>r-error</requestId>")

    window.draw()
    assert window.states() == before
    expect(window.row("1235", 5000).locator("[data-field=state]")).to_have_text("Signed out")
    assert window.problems == []


def test_a_desktops_state_is_shown_by_name_and_leaves_the_board_alone(
    installation: Installation, open_window: OpenWindow
) -> None:
    window = open_window()
    window.sign_in_and_go_live("2001")
    expect(window.rows).to_have_count(OF_CHAT)
    before = window.states()

    for number, inside in enumerate(
        (
            "<state>LOGIN</state><extension>1001</extension>",
            "<state>NOT_READY</state><reasonCodeId>1001</reasonCodeId>",
        )
    ):
        response = httpx.put(
            f"{installation.url}/finesse/api/User/1235",
            auth=("1235", "finesse"),
            content=f"<User>{inside}</User>",
            headers={"Content-Type": "application/xml", "requestId": f"desktop-{number}"},
            timeout=60,
        )
        assert response.status_code == 202, response.text
    item = window.item("desktop-1")
    expect(item).to_contain_text("Ben Okoro")
    expect(item).to_contain_text("Desktop Not ready · Lunch")
    expect(item).to_have_attribute("data-kind", "change")

    window.draw()
    assert window.states() == before
    assert window.problems == []


def test_an_outage_and_its_end_are_shown_in_words(
    installation: Installation, open_window: OpenWindow
) -> None:
    window = open_window()
    window.sign_in_and_go_live("1300")
    of_the_service = window.page.locator("li[data-kind=service]")
    expect(of_the_service).to_have_count(0)
    pill = window.page.get_by_test_id("service")
    if ON_SERVICES:
        installation.kill("worker")
        expect(pill).to_have_attribute("data-status", "OUT_OF_SERVICE", timeout=LONG_TIMEOUT_MS)
        expect(of_the_service.first).to_contain_text(
            "Out of service · worker", timeout=LONG_TIMEOUT_MS
        )
        installation.start()
    else:
        # Here the worker dies with its server; another process, without a worker, publishes it.
        installation.manage(
            "shell",
            "--no-imports",
            "-c",
            "from finesse.notifications.outages import Status, publish_status\n"
            "publish_status(Status.OUT_OF_SERVICE)",
        )
    expect(of_the_service).to_have_count(2, timeout=LONG_TIMEOUT_MS)
    back, out = of_the_service.all()
    expect(out).to_contain_text("Out of service")
    expect(out).to_contain_text("Service")
    expect(back.locator(".what")).to_have_text("In service")
    expect(pill).to_have_attribute("data-status", "IN_SERVICE", timeout=LONG_TIMEOUT_MS)


def test_the_page_goes_on_by_itself_after_a_loss_without_gap_or_duplicate(
    installation: Installation, open_window: OpenWindow, put: Put
) -> None:
    window = open_window()
    window.sign_in_and_go_live("admin")
    put("1234", 5001, MEETING, "before-the-loss")
    expect(window.item("before-the-loss")).to_have_count(1)
    window.page.evaluate("() => { window.isTheSamePage = true; }")
    before, shown = window.states(), window.positions()

    installation.kill("server")
    window.expect_connection("reconnecting")
    expect(window.page.get_by_test_id("connection")).to_contain_text("Reconnecting")
    expect(window.page.get_by_text("As of")).to_be_visible()
    assert window.states() == before
    assert window.positions() == shown

    installation.start()
    put("1234", 5001, LUNCH, "after-the-loss")
    put("1234", 5001, READY, "after-that")
    window.expect_connection("live")
    expect(window.item("after-the-loss")).to_have_count(1)
    expect(window.item("after-that")).to_have_count(1)
    expect(window.row("1234", 5001).locator("[data-field=state]")).to_have_text("Ready")
    expect(window.page.get_by_text("As of")).to_be_hidden()
    assert window.positions() == [shown[0] + 2, shown[0] + 1, *shown]
    assert window.page.evaluate("() => window.isTheSamePage")


def test_signing_out_in_another_tab_ends_the_viewer_and_signing_in_there_brings_it_back(
    open_window: OpenWindow,
) -> None:
    window = open_window()
    window.sign_in_and_go_live("2001")
    other = window.new_tab()
    other.goto(window.url)
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()

    window.expect_connection("signed-out")
    connection = window.page.get_by_test_id("connection")
    expect(connection).to_contain_text("Signed out")
    expect(connection.get_by_role("link", name="Sign in")).to_be_visible()

    sign_in(other, f"{window.url}/login/", "1300")
    window.expect_connection("live")
    expect(window.page.get_by_role("link", name="Your account")).to_contain_text("Chi Wong")


def test_a_viewer_becomes_that_of_another_user_who_signs_in_in_another_tab_as_a_whole(
    open_window: OpenWindow,
) -> None:
    """The administration has a sign-in of its own, for those who are signed in as somebody else."""
    window = open_window()
    window.sign_in_and_go_live("1234")
    other = window.new_tab()
    sign_in(other, f"{window.url}/admin/", "2001")
    expect(other).to_have_title("What do you want to manage? – Finesse Media")

    expect(window.page.get_by_role("link", name="Your account")).to_contain_text("Dana Ruiz")
    window.expect_connection("live")
    expect(window.page.get_by_test_id("agent-page")).to_be_hidden()


def test_a_deactivated_user_is_signed_out_at_once_and_not_let_in_again(
    open_window: OpenWindow,
) -> None:
    agent, admin = open_window(), open_window()
    agent.sign_in_and_go_live("1235")
    admin.sign_in_and_go_live("admin")

    def set_active(active: bool) -> None:
        admin.page.goto(f"{admin.url}/admin/users/user/1235/change/")
        admin.page.get_by_label("Active", exact=True).set_checked(active)
        admin.page.get_by_role("button", name="Save", exact=True).click()
        expect(admin.page.get_by_text("was changed successfully")).to_be_visible()

    set_active(False)
    try:
        agent.expect_connection("signed-out")
        agent.sign_in("1235")
        expect(agent.page.get_by_role("alert")).to_be_visible()
    finally:
        set_active(True)
    assert admin.problems == []


def test_a_membership_given_and_taken_on_the_user_page_shows_on_the_board_at_once(
    open_window: OpenWindow,
) -> None:
    window = open_window()
    window.sign_in_and_go_live("admin")
    row = window.row("1300", 5000)
    expect(window.row("1300", 5002)).to_have_count(1)
    expect(row).to_have_count(0)

    admin = window.new_tab()
    admin.goto(f"{window.url}/admin/users/user/1300/change/")
    admin.get_by_text("Add another Media routing domain").click()
    admin.locator("#media-1 .select2-selection").click()
    admin.get_by_role("option", name="Chat (5000)").click()
    save = admin.get_by_role("button", name="Save and continue editing")
    save.click()
    expect(admin.get_by_text("was changed successfully")).to_be_visible()
    expect(row).to_contain_text("Chi Wong")
    expect(row.locator("[data-field=state]")).to_have_text("Signed out")

    admin.locator("tr.has_original", has_text="Chat (5000)").get_by_role("checkbox").check()
    save.click()
    expect(row).to_have_count(0)
    assert window.problems == []


def test_a_reason_code_that_exists_already_is_an_error_on_the_form(open_window: OpenWindow) -> None:
    window = open_window()
    window.sign_in_and_go_live("admin")
    page = window.page
    page.goto(f"{window.url}/admin/reasoncodes/reasoncode/1002/change/")
    page.get_by_label("Code:").fill("1")
    page.get_by_label("Label:").fill("lunch")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".field-code .errorlist")).to_contain_text("1 is the code of Lunch")
    expect(page.locator(".field-label .errorlist")).to_contain_text("This is the label of Lunch")
    assert window.problems == []


def test_a_wrong_password_is_an_error_on_the_form(open_window: OpenWindow) -> None:
    window = open_window()
    window.sign_in("2001", "wrong")
    expect(window.page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(window.page.get_by_label("Login ID")).to_have_value("2001")
    expect(window.page.get_by_label("Password")).to_have_value("")
    assert window.problems == []


def test_the_viewer_can_be_used_with_the_keyboard_alone(open_window: OpenWindow, put: Put) -> None:
    put("1234", 5001, LUNCH, "keys")
    window = open_window()
    keyboard = window.page.keyboard
    window.page.goto(window.url)
    expect(window.page.get_by_label("Login ID")).to_be_focused()
    keyboard.type("2001")
    keyboard.press("Tab")
    keyboard.type("finesse")
    keyboard.press("Enter")
    window.expect_connection("live")
    expect(window.rows).to_have_count(OF_CHAT)
    expect(window.items.first).to_be_visible()

    # From the top of the page, by Tab alone, up to the first notification.
    stops = []
    while "SUMMARY" not in stops and len(stops) < 60:
        keyboard.press("Tab")
        stops.append(window.focused())
    wanted = ["filter", "READY", "LOGOUT", "agent", "time", "pause", "SUMMARY"]
    assert [stop for stop in stops if stop in wanted] == wanted
    keyboard.press("Enter")
    expect(window.items.first.locator("pre")).to_be_visible()

    keyboard.press("/")
    assert window.focused() == "filter"
    keyboard.type("ben email")
    expect(window.rows.filter(visible=True)).to_have_count(1)
    expect(window.page.locator("#filter")).to_have_value("ben email")
    keyboard.press("Escape")
    expect(window.rows.filter(visible=True)).to_have_count(OF_CHAT)


CHANGE = """
from finesse.users.models import Team, User
from media.models import Media, MediaRoutingDomain
from reasoncodes.models import ReasonCode
team, ana, ben = Team.objects.get(pk=1), User.objects.get(pk="1234"), User.objects.get(pk="1235")
mrd, lunch = MediaRoutingDomain.objects.get(pk=5001), ReasonCode.objects.get(pk=1001)
{change}
print(1)
"""
CHANGES = {
    "team.name = 'Talkers'; team.save()": ("team", "Talkers"),
    "ana.first_name = 'Anna'; ana.save()": ("agent", "Anna Lima"),
    "lunch.label = 'Dinner'; lunch.save()": ("reason", "Dinner"),
    "mrd.name = 'Letters'; mrd.save()": ("mrd", "Letters"),
}
UNDO = """
team.name = 'Chat'; team.save(); ana.first_name = 'Ana'; ana.save()
lunch.label = 'Lunch'; lunch.save(); mrd.name = 'Email'; mrd.save()
Media.objects.get_or_create(user=ben, mrd_id=5001)
"""


def test_an_open_board_shows_what_administrators_change(
    installation: Installation, open_window: OpenWindow, put: Put
) -> None:
    put("1234", 5001, LUNCH, "lunch")
    window = open_window()
    window.sign_in_and_go_live("2001")
    row = window.row("1234", 5001)
    expect(row.locator("[data-field=reason]")).to_contain_text("Lunch")
    installation.query(CHANGE.format(change="\n".join(CHANGES)))
    for field, text in CHANGES.values():
        expect(row.locator(f"[data-field={field}]")).to_contain_text(text, timeout=LONG_TIMEOUT_MS)
    # By the new names it is found, too.
    window.page.locator("#filter").fill("talkers anna")
    expect(window.rows.filter(visible=True)).to_have_count(2)
    window.page.locator("#filter").fill("")
    installation.query(CHANGE.format(change="Media.objects.get(user=ben, mrd=mrd).delete()"))
    expect(window.row("1235", 5001)).to_have_count(0, timeout=LONG_TIMEOUT_MS)
    installation.query(CHANGE.format(change=UNDO))
    expect(row.locator("[data-field=team]")).to_have_text("Chat", timeout=LONG_TIMEOUT_MS)
    expect(window.rows).to_have_count(OF_CHAT, timeout=LONG_TIMEOUT_MS)


def test_an_open_board_is_loaded_anew_when_the_database_was_restored(
    installation: Installation, open_window: OpenWindow, put: Put
) -> None:
    put("1234", 5001, LUNCH, "lunch")
    window = open_window()
    window.sign_in_and_go_live("2001")
    reason = window.row("1234", 5001).locator("[data-field=reason]")
    expect(reason).to_contain_text("Lunch")
    backup = installation.dump()
    put("1234", 5001, MEETING, "meeting")
    expect(reason).to_contain_text("Team meeting", timeout=LONG_TIMEOUT_MS)
    installation.restore(backup)
    expect(reason).to_contain_text("Lunch", timeout=LONG_TIMEOUT_MS)
    window.expect_connection("live")
    put("1234", 5001, READY, "ready")
    state = window.row("1234", 5001).locator("[data-field=state]")
    expect(state).to_have_text("Ready", timeout=LONG_TIMEOUT_MS)


def test_on_a_phone_both_views_can_be_reached_and_nothing_sticks_out(
    open_window: OpenWindow, put: Put
) -> None:
    put("1235", 5000, READY, "an-error-with-a-long-constant")
    window = open_window(360, 740)
    page = window.page

    def assert_nothing_sticks_out() -> None:
        assert page.evaluate("() => document.documentElement.scrollWidth") == 360

    page.goto(window.url)
    assert_nothing_sticks_out()
    window.sign_in_and_go_live("2001")
    board, stream = page.get_by_test_id("board"), page.get_by_test_id("stream")
    expect(window.rows).to_have_count(OF_CHAT)
    expect(board).to_be_visible()
    expect(stream).to_be_hidden()
    assert_nothing_sticks_out()

    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("button", name="Notifications").click()
    expect(stream).to_be_visible()
    expect(board).to_be_hidden()
    item = window.item("an-error-with-a-long-constant")
    item.locator("summary").click()
    expect(item.locator("pre")).to_contain_text("E_ARM_STAT_AGENT_NOT_LOGGED_IN")
    assert_nothing_sticks_out()

    views.get_by_role("button", name="Board").click()
    expect(board).to_be_visible()
    expect(stream).to_be_hidden()
    assert window.problems == []
