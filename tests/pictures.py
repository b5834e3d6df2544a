"""The pictures of docs/supervisors.md, made from a running demo: `make pictures`.

It starts a demo of its own, which nobody else uses, with a few changes to show.
"""

import shutil
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.kit.chromium import FLAGS
from tests.kit.installation import ROOT, TIMEOUT_SECONDS, Installation
from tests.kit.pages import sign_in


def _ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def _work_day() -> date:
    """The last day that is over and of which the demo has a history: none of it is of a Sunday."""
    return next(day for day in (_ago(1), _ago(2)) if day.weekday() != SUNDAY)


SUNDAY = 6
PICTURES = ROOT / "docs" / "pictures"
LIST = "/admin/reasoncodes/reasoncode/"
PAGES = {
    "board": "/?rows=mrds&sort=over",
    "board-by-agent": "/?rows=agents",
    "board-on-a-wall": "/?wall=1&rows=agents",
    "list": LIST,
    "form": f"{LIST}1003/change/",
    "add": f"{LIST}add/",
    "retire": f"{LIST}1003/retire/",
    "what-agents-see": f"{LIST}preview/?agent=1234",
    "history": f"{LIST}1003/history/",
    "report": f"/admin/reports/?from={_ago(7)}&to={_ago(1)}",
    "agent-day": f"/admin/reports/agent/1234/?from={_work_day()}",
}
EVERY_SCREEN = ("board", "board-by-agent", "list", "form")
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
        picture_own_page(browser, url)
        browser.close()


def signed_in(
    browser: Browser, url: str, width: int, scheme: Any, login: str = "2001", address: str = LIST
) -> Page:
    size: Any = {"width": width, "height": HEIGHT}
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    sign_in(page, f"{url}/login/?next={address}", login)
    page.wait_for_url(f"{url}{address}")
    return page


def picture_own_page(browser: Browser, url: str) -> None:
    """An agent on a phone, in a reason with a maximum, and about to choose another one."""
    media = f"{url}/finesse/api/User/1238/Media/5001"
    body = STATE.format("NOT_READY", "<reasonCodeId>1001</reasonCodeId>")
    headers = {"Content-Type": "application/xml"}
    httpx.put(
        media, content=body, headers=headers, auth=("1238", "finesse"), timeout=TIMEOUT_SECONDS
    ).raise_for_status()
    page = signed_in(browser, url, 390, "light", login="1238", address="/")
    card = page.get_by_test_id("my-state-5001")
    card.get_by_text("Lunch").wait_for()
    card.get_by_test_id("act-not-ready").click()
    card.get_by_test_id("reason").select_option("1005")
    page.screenshot(path=PICTURES / "own-page-390-light.png")
    page.context.close()


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
    httpx.put(
        media, content=body, headers=headers, auth=("1234", "finesse"), timeout=TIMEOUT_SECONDS
    ).raise_for_status()


def let_time_pass(installation: Installation) -> None:
    """Gina's break has been too long for three minutes."""
    installation.query(
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "from media.models import Media\n"
        "began = timezone.now() - timedelta(minutes=18)\n"
        "print(Media.objects.filter(user='1238').update(state_change_time=began))"
    )


def picture(page: Page, address: str, name: str) -> None:
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    installation = Installation(Path(tempfile.mkdtemp(prefix="finesse-pictures-")))
    try:
        installation.start()
        let_time_pass(installation)
        make(installation.url)
    finally:
        installation.end()
        shutil.rmtree(installation.folder, ignore_errors=True)
    sys.stdout.write(f"Made the pictures in {PICTURES.relative_to(ROOT)}\n")
