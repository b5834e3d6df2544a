"""The agent's own page in a real browser, with a real installation: an agent's day without a client
of Finesse, on a phone, too."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.kit.axe import findings
from tests.kit.own_page import LUNCH, MEETING, PHONE, SMALLEST, TIMEOUT_MS, WIDE, Ask, Card
from tests.own_page.conftest import OpenAgent

CHAT, EMAIL, DESKTOP = "5000", "5001", "1"
END_OF_SHIFT = "2001"


def test_an_agents_day_without_a_client_on_a_phone(sign_in: OpenAgent) -> None:
    agent = sign_in("1235", PHONE)
    expect(agent.page.get_by_test_id("agent-page")).to_be_in_viewport()
    expect(agent.page.get_by_test_id("board")).to_be_hidden()
    chat = agent.card(CHAT)
    chat.expect_state("Signed out")
    expect(chat.part("why-not")).to_contain_text("you are signed out; sign in first.")

    chat.act("sign-in")
    chat.part("max-dialog-limit").fill("3")
    chat.part("apply").click()
    chat.expect_message("Done: you are “Not ready”.")
    chat.expect_state("Not ready")

    chat.act("ready")
    chat.expect_message("Done: you are “Ready”.")
    chat.expect_state("Ready")

    chat.act("not-ready")
    labels = chat.part("reason").locator("option").all_inner_texts()
    assert labels[:3] == [
        "Choose a reason…",
        "Lunch (at most 45 minutes)",
        "Team meeting (at most 60 minutes)",
    ]
    chat.part("reason").select_option(LUNCH)
    chat.part("apply").click()
    chat.expect_message("Done: you are “Not ready”.")
    expect(chat.element.locator(".own-state")).to_contain_text("Lunch")
    expect(chat.part("time-left")).to_contain_text("left of 45 minutes")

    chat.act("not-ready")
    expect(chat.part("act-not-ready")).to_have_text("Change the reason")
    chat.part("reason").select_option(MEETING)
    chat.part("apply").click()
    expect(chat.element.locator(".own-state")).to_contain_text("Team meeting")

    chat.act("not-routable")
    chat.expect_message("Done: no new tasks come to you.")
    expect(chat.element).to_contain_text("Not routable: no new tasks")
    chat.act("routable")
    chat.expect_message("Done: new tasks may come to you.")

    chat.act("sign-out")
    chat.part("reason").select_option(END_OF_SHIFT)
    chat.part("apply").click()
    chat.expect_message("Done: you are “Signed out”.")
    assert agent.problems == []


def test_the_desktop_is_signed_in_with_an_extension_and_refuses_in_words(
    sign_in: OpenAgent,
) -> None:
    agent = sign_in("1236")
    desktop = agent.card(DESKTOP)
    desktop.act("sign-in")
    desktop.part("extension").fill("1001")
    desktop.part("apply").click()
    desktop.expect_message("Done: you are “Not ready”.")
    expect(desktop.element).to_contain_text("Extension 1001")
    desktop.act("ready")
    desktop.expect_state("Ready")
    expect(desktop.part("why-not")).to_have_text("Sign out: only while you are “Not ready”.")
    expect(desktop.part("act-sign-out")).to_have_attribute("aria-disabled", "true")
    desktop.part("act-sign-out").click(force=True)
    desktop.expect_message("Only while you are “Not ready”.")

    desktop.act("not-ready")
    desktop.part("reason").select_option(LUNCH)
    desktop.part("apply").click()
    desktop.expect_state("Not ready")
    desktop.act("sign-out")
    expect(desktop.element).to_contain_text("This also signs you out of all other channels.")
    desktop.part("reason").select_option(END_OF_SHIFT)
    desktop.part("apply").click()
    desktop.expect_state("Signed out")
    assert agent.problems == []


def test_a_supervisors_change_is_shown_at_once_with_the_name(sign_in: OpenAgent, ask: Ask) -> None:
    agent = sign_in("1236")
    ask("PUT", "User/1236", "<User><state>LOGIN</state><extension>7</extension></User>", "1236")
    desktop = agent.card(DESKTOP)
    desktop.expect_state("Not ready")
    expect(desktop.part("by-whom")).to_be_hidden()
    ask("PUT", "User/1236", "<User><state>READY</state></User>", "2001")
    desktop.expect_state("Ready")
    expect(desktop.part("by-whom")).to_have_text("Dana Ruiz made you Ready.", timeout=TIMEOUT_MS)
    agent.page.reload()
    expect(agent.card(DESKTOP).part("by-whom")).to_have_text("Dana Ruiz made you Ready.")

    agent.card(DESKTOP).act("not-ready")
    agent.card(DESKTOP).part("reason").select_option(LUNCH)
    agent.card(DESKTOP).part("apply").click()
    agent.card(DESKTOP).expect_state("Not ready")
    expect(agent.card(DESKTOP).part("by-whom")).to_be_hidden(timeout=TIMEOUT_MS)
    assert agent.problems == []


def test_what_happens_elsewhere_shows_in_every_tab(sign_in: OpenAgent, ask: Ask) -> None:
    agent = sign_in("1237")
    other = agent.new_tab()
    other.goto(agent.url)
    Card(other, CHAT).expect_state("Ready")
    agent.card(CHAT).act("not-ready")
    agent.card(CHAT).part("reason").select_option(LUNCH)
    agent.card(CHAT).part("apply").click()
    Card(other, CHAT).expect_state("Not ready")
    ask("PUT", "User/1237/Media/5000", "<Media><state>READY</state></Media>", "1237")
    for card in (agent.card(CHAT), Card(other, CHAT)):
        card.expect_state("Ready")
    assert agent.problems == []


# --- refused ----------------------------------------------------------------------------------


def sends_instead(page: Page, body: str) -> None:
    """As if the page were an old one: the server gets this body instead, once."""

    def change(route: Route) -> None:
        route.continue_(post_data=body)

    page.route("**/finesse/api/**", change, times=1)


def test_what_the_api_refuses_is_said_beside_the_button(sign_in: OpenAgent) -> None:
    agent = sign_in("1238")
    email = agent.card(EMAIL)
    email.act("not-ready")
    email.part("reason").select_option(LUNCH)
    sends_instead(
        agent.page, "<Media><state>NOT_READY</state><reasonCodeId>9999</reasonCodeId></Media>"
    )
    email.part("apply").click()
    email.expect_message("This reason is not offered to you any more. Choose another one.")
    sends_instead(agent.page, "<Media><state>NOT_READY</state></Media>")
    email.act("ready")
    email.expect_message("A reason is required. Choose one.")
    expect(email.part("act-ready")).to_have_attribute("aria-disabled", "false")


def test_an_error_after_the_202_is_said_beside_the_button(sign_in: OpenAgent) -> None:
    agent = sign_in("1236", PHONE)
    chat = agent.card(CHAT)
    chat.act("sign-in")
    sends_instead(agent.page, "<Media><state>READY</state></Media>")
    chat.part("apply").click()
    chat.expect_message("You are signed out here. Sign in first.")
    chat.expect_state("Signed out")


def test_a_page_without_its_token_is_told_to_reload(sign_in: OpenAgent) -> None:
    agent = sign_in("1238")
    agent.context.clear_cookies(name="csrftoken")
    email = agent.card(EMAIL)
    email.act("ready" if email.part("act-routable").is_hidden() else "routable")
    email.expect_message("This page is an old one. Reload it and try again.")


def test_who_has_signed_out_in_another_tab_is_asked_to_sign_in_again(sign_in: OpenAgent) -> None:
    agent = sign_in("1237")
    agent.context.clear_cookies(name="sessionid")
    agent.card(CHAT).act("not-routable")
    agent.card(CHAT).expect_message("You are not signed in any more. Sign in again")


# --- leaving ----------------------------------------------------------------------------------


def test_signing_out_of_the_page_says_that_states_stay(sign_in: OpenAgent) -> None:
    agent = sign_in("1234")
    agent.card(EMAIL).expect_state("Ready")
    header = agent.page.get_by_role("navigation", name="Account")
    header.get_by_role("button", name="Sign out").click()
    asked = agent.page.get_by_test_id("leaving")
    expect(asked).to_contain_text("Your states stay as they are:")
    expect(asked).to_contain_text("Email: Ready")
    assert findings(agent.page) == []
    asked.get_by_test_id("stay").click()
    expect(asked).to_be_hidden()
    header.get_by_role("button", name="Sign out").click()
    asked.get_by_test_id("leave").click()
    expect(agent.page.get_by_label("Login ID")).to_be_visible()
    # The socket ends with the session, and the page may ask for the board once more before it goes.
    assert [one for one in agent.problems if "401" not in one or "/board/" not in one] == []


def test_signing_out_before_the_states_have_come_asks_all_the_same(sign_in: OpenAgent) -> None:
    agent = sign_in("1234")
    page, held = agent.page, []
    page.route("**/own-page/", lambda route: held.append(route))
    page.reload()
    agent.go_live()
    page.get_by_role("navigation", name="Account").get_by_role("button", name="Sign out").click()
    asked = page.get_by_test_id("leaving")
    expect(asked).to_contain_text("Your states are not loaded yet")
    asked.get_by_test_id("stay").click()
    for route in held:
        route.continue_()
    agent.card(EMAIL).expect_state("Ready")


def test_a_supervisor_without_an_mrd_has_no_such_section(sign_in: OpenAgent) -> None:
    supervisor = sign_in("2001", PHONE)
    expect(supervisor.page.get_by_test_id("board")).to_be_visible()
    expect(supervisor.page.get_by_test_id("agent-page")).to_be_hidden()
    expect(supervisor.page.get_by_test_id("show-own")).to_be_hidden()


# --- by keyboard, on small screens, for screen readers ----------------------------------------


def test_it_can_be_used_with_the_keyboard_alone(sign_in: OpenAgent) -> None:
    agent = sign_in("1235")
    email, keyboard = agent.card(EMAIL), agent.page.keyboard
    email.part("act-sign-in").focus()
    keyboard.press("Enter")
    expect(email.part("max-dialog-limit")).to_be_focused()
    keyboard.press("Escape")
    expect(email.part("act-sign-in")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Enter")
    email.expect_state("Not ready")
    email.part("act-ready").focus()
    keyboard.press("Space")
    email.expect_state("Ready")
    keyboard.press("Tab")
    expect(email.part("act-not-ready")).to_be_focused()
    keyboard.press("Enter")
    expect(email.part("reason")).to_be_focused()
    keyboard.type("Lunch")
    keyboard.press("Tab")
    expect(email.part("apply")).to_be_focused()
    keyboard.press("Enter")
    email.expect_state("Not ready")
    expect(email.element.locator(".own-state")).to_contain_text("Lunch")
    expect(email.part("act-not-ready")).to_be_focused()
    assert agent.problems == []


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "dark"), (PHONE, "light"), (SMALLEST, "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out(
    sign_in: OpenAgent, ask: Ask, size: tuple[int, int], scheme: Any
) -> None:
    ask(
        "PUT",
        "User/1238/Media/5001",
        f"<Media><state>NOT_READY</state><reasonCodeId>{LUNCH}</reasonCodeId></Media>",
        "1238",
    )
    agent = sign_in("1238", size)
    agent.page.emulate_media(color_scheme=scheme)
    email = agent.card(EMAIL)
    expect(email.part("time-left")).to_be_visible()
    email.act("not-ready")
    expect(email.part("reason")).to_be_visible()
    assert findings(agent.page) == []
    width = agent.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]


def test_on_a_phone_the_three_views_exclude_each_other(sign_in: OpenAgent) -> None:
    agent = sign_in("1237", PHONE)
    own, board = agent.page.get_by_test_id("agent-page"), agent.page.get_by_test_id("board")
    stream = agent.page.get_by_test_id("stream")
    views = agent.page.get_by_role("navigation", name="Views")
    for name, visible, hidden in (
        ("Board", board, (own, stream)),
        ("Notifications", stream, (own, board)),
        ("My states", own, (board, stream)),
    ):
        views.get_by_role("button", name=name).click()
        expect(visible).to_be_visible()
        for one in hidden:
            expect(one).to_be_hidden()
        expect(views.locator("[aria-pressed=true]")).to_have_count(1)


def test_a_sign_out_waits_for_the_rules_and_can_be_cancelled(sign_in: OpenAgent, ask: Ask) -> None:
    agent = sign_in("1301")
    desktop = agent.card(DESKTOP)
    desktop.act("sign-in")
    desktop.part("extension").fill("1301")
    desktop.part("apply").click()
    desktop.expect_state("Not ready")
    desktop.act("ready")
    desktop.expect_state("Ready")

    later = desktop.element.get_by_test_id("act-later")
    expect(later).to_have_text(["Sign out after this one"])
    later.click()
    desktop.part("reason").select_option(END_OF_SHIFT)
    desktop.part("apply").click()
    desktop.expect_message("It waits, and follows as soon as the rules allow it.")
    expect(desktop.part("waiting")).to_contain_text("After this one: Sign out")
    assert findings(agent.page) == []
    desktop.part("cancel-waiting").click()
    desktop.expect_message("It does not wait any more.")
    expect(desktop.part("waiting")).to_be_hidden()

    later.click()
    desktop.part("reason").select_option(END_OF_SHIFT)
    desktop.part("apply").click()
    expect(desktop.part("waiting")).to_be_visible()
    not_ready = "<User><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></User>"
    ask("PUT", "User/1301", not_ready, "1301")
    desktop.expect_state("Signed out")
    expect(desktop.part("waiting")).to_be_hidden()
