"""The pictures of docs/supervisors.md, made from a running demo: `make pictures`.

It starts a demo of its own, which nobody else uses, with a few changes to show.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.kit.chromium import FLAGS
from tests.kit.installation import ROOT, Installation

PICTURES = ROOT / "docs" / "pictures"
LIST = "/admin/reasoncodes/reasoncode/"
PAGES = {
    "list": LIST,
    "form": f"{LIST}1003/change/",
    "add": f"{LIST}add/",
    "retire": f"{LIST}1003/retire/",
    "what-agents-see": f"{LIST}preview/?agent=1234",
    "history": f"{LIST}1003/history/",
}
EVERY_SCREEN = ("list", "form")
"""Pages that are pictured at all widths, in light and in dark."""
WIDTHS = (1400, 1024, 960, 390)
OF_THE_GUIDE = (1024, "light")
HEIGHT = 640
STATE = "<Media><state>{}</state>{}</Media>"


def make(url: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        change_something(browser, url)
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                page = signed_in(browser, url, width, scheme)
                whole = (width, scheme) == OF_THE_GUIDE
                for name in PAGES if whole else EVERY_SCREEN:
                    picture(page, f"{url}{PAGES[name]}", f"{name}-{width}-{scheme}")
                page.context.close()
        browser.close()


def signed_in(browser: Browser, url: str, width: int, scheme: Any) -> Page:
    size: Any = {"width": width, "height": HEIGHT}
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    page.goto(f"{url}/login/?next={LIST}")
    page.get_by_label("Login ID").fill("2001")
    page.get_by_label("Password").fill("finesse")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}{LIST}")
    return page


def change_something(browser: Browser, url: str) -> None:
    """An agent in a code, and a change in its history."""
    page = signed_in(browser, url, 1400, "light")
    page.goto(f"{url}{PAGES['form']}")
    page.locator("summary").first.click()
    page.locator("#id_description").fill("A talk with your coach")
    page.locator("#id_maximum_minutes").fill("45")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".messagelist").wait_for()
    page.context.close()
    media = f"{url}/finesse/api/User/1234/Media/5001"
    body = STATE.format("NOT_READY", "<reasonCodeId>1003</reasonCodeId>")
    headers = {"Content-Type": "application/xml"}
    httpx.put(media, content=body, headers=headers, auth=("1234", "finesse")).raise_for_status()


def picture(page: Page, address: str, name: str) -> None:
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    installation = Installation(Path(tempfile.mkdtemp(prefix="finesse-pictures-")))
    try:
        installation.start()
        make(installation.url)
    finally:
        installation.end()
        shutil.rmtree(installation.folder, ignore_errors=True)
    sys.stdout.write(f"Made the pictures in {PICTURES.relative_to(ROOT)}\n")
