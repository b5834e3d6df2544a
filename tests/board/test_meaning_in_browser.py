"""What reason codes mean, on the board in a real browser: changed while it is open."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.pages import note_problems, sign_in
from tests.kit.window import LONG_TIMEOUT_MS

MEETING = "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>"
READY = "<Media><state>READY</state></Media>"
TIMEOUT_MS = 60_000
TEAL, RED = "rgb(23, 136, 127)", "rgb(214, 69, 69)"


def give_meaning(installation: Installation, **fields: object) -> None:
    """As an administrator does in the administration: one save in one change."""
    installation.query(
        "from reasoncodes.models import ReasonCode\n"
        "code = ReasonCode.objects.get(pk=1002)\n"
        f"for name, value in {fields!r}.items(): setattr(code, name, value)\n"
        "code.full_clean()\n"
        "code.save()\n"
        "print(code.pk)"
    )


def ask(installation: Installation, method: str, path: str, body: str, login: str) -> None:
    answer = httpx.request(
        method,
        f"{installation.url}/finesse/api/{path}",
        content=body,
        headers={"Content-Type": "application/xml"},
        auth=(login, "finesse"),
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code in {200, 202}, answer.text


class Board:
    def __init__(self, browser: Browser, url: str, locale: str) -> None:
        self.context = browser.new_context(locale=locale)
        self.context.set_default_timeout(LONG_TIMEOUT_MS)
        self.problems: list[str] = []
        self.page = self.context.new_page()
        note_problems(self.page, self.problems)
        sign_in(self.page, url, "2001")
        connection = self.page.get_by_test_id("connection")
        expect(connection).to_have_attribute("data-state", "live", timeout=TIMEOUT_MS)

    def expect_left(self, text: str) -> None:
        """`text` is a pattern, for what changes each second."""
        source = "/finesse/api/User/1234/Media/5001"
        left = self.page.locator(f'tr[data-source="{source}"] [data-field=over]')
        expect(left).to_have_text(re.compile(text), timeout=TIMEOUT_MS)

    @property
    def reason(self) -> Locator:
        source = "/finesse/api/User/1234/Media/5001"
        return self.page.locator(f'tr[data-source="{source}"] [data-field=reason]')

    def expect_reason(self, text: str) -> None:
        expect(self.reason).to_have_text(text, timeout=TIMEOUT_MS)

    def expect_colour(self, colour: str) -> None:
        swatch = self.reason.locator(".swatch")
        expect(swatch).to_have_css("background-color", colour, timeout=TIMEOUT_MS)
        expect(swatch).to_be_visible()


@pytest.fixture
def boards(installation: Installation, browser: Browser) -> Iterator[tuple[Board, Board]]:
    """A supervisor's, in English and in German."""
    give_meaning(installation, label="Team meeting", translations={}, colour="", description="")
    ask(installation, "PUT", "User/1234/Media/5001", MEETING, "1234")
    made = tuple(Board(browser, installation.url, locale) for locale in ("en-US", "de-AT"))
    yield made[0], made[1]
    for board in made:
        board.context.close()


def test_an_open_board_shows_new_labels_and_colours_at_once(
    installation: Installation, boards: tuple[Board, Board]
) -> None:
    english, german = boards
    for board in boards:
        board.expect_reason("Team meeting (2)")
        expect(board.reason.locator(".swatch")).to_be_hidden()

    give_meaning(installation, colour="#17887f", translations={"de": "Besprechung"})
    german.expect_reason("Besprechung (2)")
    english.expect_reason("Team meeting (2)")
    for board in boards:
        board.expect_colour(TEAL)
        item = board.page.get_by_test_id("stream").get_by_text("Changed: Team meeting (2)")
        expect(item.first).to_be_visible()

    give_meaning(installation, colour="#d64545", description="Every Monday")
    for board in boards:
        board.expect_colour(RED)
        expect(board.reason.get_by_title("Every Monday")).to_be_visible()

    ask(
        installation,
        "PUT",
        "ReasonCode/1002",
        "<ReasonCode><label>Stand-up</label></ReasonCode>",
        "admin",
    )
    english.expect_reason("Stand-up (2)")
    german.expect_reason("Besprechung (2)")
    give_meaning(installation, translations={})
    german.expect_reason("Stand-up (2)")
    assert english.problems == german.problems == []


def test_the_filter_finds_the_label_in_either_language(
    installation: Installation, boards: tuple[Board, Board]
) -> None:
    german = boards[1]
    give_meaning(installation, translations={"de": "Besprechung"})
    german.expect_reason("Besprechung (2)")
    for text in ("besprech", "team meet"):
        german.page.locator("#filter").fill(text)
        expect(german.reason).to_be_visible()
    german.page.locator("#filter").fill("Mittag")
    expect(german.reason).to_be_hidden()
    assert german.problems == []


def change_rule(installation: Installation, what: str) -> None:
    """`what` is Python about `rules`, those of Ana's team for the reason that she is in."""
    installation.query(
        "from media.break_tables import BreakRule\n"
        "rules = BreakRule.objects.filter(team_id=1, reason_code_id=1002)\n"
        f"{what}\n"
        "print(1)"
    )


def test_an_open_board_shows_the_times_of_changed_codes_and_rules_at_once(
    installation: Installation, boards: tuple[Board, Board]
) -> None:
    """The maxima are hours: however slow the machine is, minutes later it is the same hour."""
    board = boards[0]
    ask(installation, "PUT", "User/1234/Media/5001", READY, "1234")
    ask(installation, "PUT", "User/1234/Media/5001", MEETING, "1234")
    give_meaning(installation, maximum_minutes=600)
    board.expect_left(r"^(9:5\d|10:00):\d\d left$")
    give_meaning(installation, maximum_minutes=480)
    board.expect_left(r"^(7:5\d|8:00):\d\d left$")
    change_rule(
        installation,
        "BreakRule.objects.create(team_id=1, reason_code_id=1002, maximum_minutes=360)",
    )
    board.expect_left(r"^(5:5\d|6:00):\d\d left$")
    change_rule(installation, "rule = rules.get(); rule.maximum_minutes = 240; rule.save()")
    board.expect_left(r"^(3:5\d|4:00):\d\d left$")
    change_rule(installation, "rules.get().delete()")
    board.expect_left(r"^(7:5\d|8:00):\d\d left$")
    give_meaning(installation, maximum_minutes=None)
    board.expect_left("^$")
    assert board.problems == []
