"""Import and export in a real browser: how many clicks they take, and what people see."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.kit.axe import findings
from tests.kit.guide import takes
from tests.kit.installation import Installation
from tests.kit.page_policy import NOTE_VIOLATIONS, violations
from tests.kit.window import LONG_TIMEOUT_MS

THIRTY = "category,code,label\n" + "".join(f"Not ready,{100 + n},Imported {n}\n" for n in range(30))
IMPORT_OF_CODES = "/admin/reasoncodes/reasoncode/import/"
MAKE_SALES = """
from finesse.users.models import Team
Team.objects.get_or_create(name="Sales")
"""


class Visitor:
    """Somebody with a browser, whose clicks are counted from the sign-in on."""

    def __init__(self, browser: Browser, url: str, login_id: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(LONG_TIMEOUT_MS)
        self.context.add_init_script(NOTE_VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.page.goto(f"{url}/admin/")
        self.page.fill("#id_username", login_id)
        self.page.fill("#id_password", "finesse")
        self.page.press("#id_password", "Enter")
        self.page.wait_for_load_state()
        self.clicks = 0

    def click(self, name: str, role: Any = "button") -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.page.wait_for_load_state()
        self.clicks += 1

    def choose(self, name: str, content: bytes) -> None:
        """A click on the field, and the file in the dialogue that opens."""
        with self.page.expect_file_chooser() as chooser:
            self.page.locator("#id_file").click()
        self.clicks += 1
        chooser.value.set_files([{"name": name, "mimeType": "", "buffer": content}])

    def download(self, name: str) -> bytes:
        with self.page.expect_download() as download:
            self.click(name, "link")
        return Path(download.value.path()).read_bytes()

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")


@pytest.fixture
def dana(browser: Browser, installation: Installation) -> Iterator[Visitor]:
    """A supervisor of one team, in the demo."""
    visitor = Visitor(browser, installation.url, "2001")
    yield visitor
    visitor.context.close()


@pytest.fixture
def admin(browser: Browser, installation: Installation) -> Iterator[Visitor]:
    visitor = Visitor(browser, installation.url, "admin")
    yield visitor
    visitor.context.close()


def test_a_supervisor_imports_thirty_codes_with_few_clicks_and_undoes_it(dana: Visitor) -> None:
    dana.go("/admin/")
    dana.clicks = 0
    dana.click("Reason codes", "link")
    dana.click("Import", "link")
    dana.choose("codes.csv", THIRTY.encode())
    dana.click("Check the file")
    expect(dana.page.get_by_text("30 new")).to_be_visible()
    dana.click("Import these 30")
    expect(dana.page.get_by_role("heading", name="Imported: 30 reason codes")).to_be_visible()
    assert dana.clicks == takes("import 30 codes") <= 5
    dana.click("Undo this import")
    expect(dana.page.get_by_role("heading", name="The import is undone")).to_be_visible()
    assert violations(dana.page) == []


@pytest.fixture
def sam(browser: Browser, installation: Installation) -> Iterator[Visitor]:
    """A supervisor of both teams of the demo. A third team is there, which is not Sam's."""
    installation.manage("shell", "--no-imports", "-c", MAKE_SALES)
    visitor = Visitor(browser, installation.url, "2002")
    yield visitor
    visitor.context.close()


def _check(visitor: Visitor, *rows: str) -> None:
    visitor.go(IMPORT_OF_CODES)
    content = "\n".join(["category,code,label,offered to", *rows])
    visitor.choose("codes.csv", content.encode())
    visitor.click("Check the file")


def test_a_supervisor_of_two_teams_imports_for_each_of_them_and_for_no_other(sam: Visitor) -> None:
    own = ["Not ready,301,Trial of Chat,Chat", "Not ready,302,Trial of both,Chat; Back office"]
    own += ["Sign out,303,Trial of the office,Back office", "Not ready,3,Coaching with Kim,Chat"]
    listed, list_of_codes = sam.page.locator("#result_list"), "/admin/reasoncodes/reasoncode/"

    foreign = ["Not ready,304,Trial of sales,Sales", "Not ready,305,Trial of more,Chat; Sales"]
    _check(sam, *own, *foreign)
    refused = sam.page.locator("details.refused")
    for row, label in ((6, "Trial of sales"), (7, "Trial of more")):
        told = refused.get_by_role("row").filter(has_text=f"“{label}”")
        expect(told.locator(".number")).to_have_text(str(row))
        expect(told).to_contain_text("offered to")
        expect(told).to_contain_text("“Sales” is none of your teams")
    expect(sam.page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    assert findings(sam.page) == []
    sam.go(f"{list_of_codes}?q=Trial")
    expect(sam.page.get_by_text("Trial")).to_have_count(0)

    _check(sam, *own)
    expect(sam.page.get_by_text("3 new")).to_be_visible()
    expect(sam.page.get_by_text("1 changed")).to_be_visible()
    assert findings(sam.page) == []
    sam.click("Import these 4")
    expect(sam.page.get_by_role("heading", name="Imported: 4 reason codes")).to_be_visible()
    assert findings(sam.page) == []
    sam.go(f"{list_of_codes}?q=Trial")
    for label, teams in (
        ("Trial of Chat", "Chat"),
        ("Trial of both", "Back office, Chat"),
        ("Trial of the office", "Back office"),
    ):
        row = listed.get_by_role("row", name=label)
        expect(row.locator(".field-offered_to")).to_have_text(teams)
    sam.page.go_back()
    sam.click("Undo this import")
    expect(sam.page.get_by_role("heading", name="The import is undone")).to_be_visible()
    sam.go(f"{list_of_codes}?q=Trial")
    expect(sam.page.get_by_text("Trial")).to_have_count(0)
    sam.go(f"{list_of_codes}?q=Coaching")
    expect(listed).to_contain_text("Coaching")
    expect(listed).not_to_contain_text("Coaching with Kim")
    assert violations(sam.page) == []


def test_refused_rows_are_shown_with_what_to_do(dana: Visitor) -> None:
    dana.go(IMPORT_OF_CODES)
    dana.choose("codes.csv", b"category,code,label\nNot ready,twelve,Tea\nNot ready,50,Coffee\n")
    dana.click("Check the file")
    refused = dana.page.locator("details.refused")
    expect(refused).to_contain_text("“twelve” is no whole number")
    expect(dana.page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    assert violations(dana.page) == []


def test_a_file_of_fifty_megabytes_is_refused_before_it_is_sent(dana: Visitor) -> None:
    dana.go(IMPORT_OF_CODES)
    sent: list[str] = []
    dana.page.on("request", lambda request: sent.append(request.method))
    # Larger than may be handed over to the browser at once: it is made there.
    dana.page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(50 * 1024 * 1024)], "large.csv"));
          const field = document.querySelector("#id_file");
          field.files = files.files;
          field.dispatchEvent(new Event("change"));
        }"""
    )
    problem = dana.page.locator("#too-large")
    expect(problem).to_have_text("large.csv is too large: 2 MB are the most. Nothing was sent.")
    dana.click("Check the file")
    assert "POST" not in sent


def test_an_export_comes_back_unchanged(dana: Visitor) -> None:
    dana.go("/admin/reasoncodes/reasoncode/")
    dana.clicks = 0
    dana.click("Export", "link")
    content = dana.download("Excel (XLSX)")
    assert dana.clicks == 2
    assert load_workbook(io.BytesIO(content)).active.max_row > 1
    dana.go(IMPORT_OF_CODES)
    dana.choose("codes.xlsx", content)
    dana.click("Check the file")
    expect(dana.page.get_by_text("Nothing to import")).to_be_visible()


def test_an_administrator_imports_people_and_gives_out_their_links(admin: Visitor) -> None:
    admin.go("/admin/users/user/")
    admin.clicks = 0
    admin.click("Import", "link")
    rows = "".join(f"new{n},New,{n},Chat,Chat\n" for n in range(20))
    admin.choose("people.csv", f"login id,first name,last name,team,mrds\n{rows}".encode())
    admin.click("Check the file")
    admin.click("Import these 20")
    expect(admin.page.get_by_role("heading", name="Imported: 20 people")).to_be_visible()
    assert findings(admin.page) == []
    assert admin.clicks == 4
    with admin.page.expect_download() as download:
        admin.page.get_by_role("button", name="Download 20 sign-in links (CSV)").click()
    links = Path(download.value.path()).read_text("utf-8-sig")
    assert links.count("http") == 20
    admin.click("Undo this import")
    expect(admin.page.get_by_text("0 changed back, 20 deleted")).to_be_visible()
    assert violations(admin.page) == []


def test_an_agent_does_not_get_there(browser: Browser, installation: Installation) -> None:
    ana = Visitor(browser, installation.url, "1234")
    for path in (IMPORT_OF_CODES, "/admin/users/user/import/"):
        ana.go(path)
        assert "/admin/login/" in ana.page.url
    ana.context.close()


@pytest.mark.parametrize("width", [1400, 390])
def test_no_page_is_wider_than_its_window(
    browser: Browser,
    installation: Installation,
    width: int,
) -> None:
    dana = Visitor(browser, installation.url, "2001", viewport={"width": width, "height": 900})
    for path in (IMPORT_OF_CODES, "/admin/reasoncodes/reasoncode/export/"):
        dana.go(path)
        assert dana.page.evaluate("document.documentElement.scrollWidth") <= width, path
    dana.go(IMPORT_OF_CODES)
    dana.choose("codes.csv", THIRTY.replace("Imported 3", "x" * 60).encode())
    dana.click("Check the file")
    assert dana.page.evaluate("document.documentElement.scrollWidth") <= width
    dana.context.close()
