"""A page in Chromium: opened, signed in, and listened to.

Chromium gives up what it is loading when its machine's network changes, also what comes from
loopback (`net::ERR_NETWORK_CHANGED`). It happens on machines of continuous integration, and is no
fault of a page.
"""

from playwright.sync_api import ConsoleMessage, Error, Page

_NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"


def note_problems(page: Page, problems: list[str]) -> None:
    """Add to `problems` what a page's console and its scripts complain of from now on."""

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _NETWORK_CHANGED not in message.text:
            problems.append(f"{message.text} ({message.location})")

    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(str(error)))


def open_page(page: Page, url: str) -> None:
    try:
        page.goto(url)
    except Error as error:
        if _NETWORK_CHANGED not in error.message:
            raise
        page.goto(url)


def sign_in(page: Page, url: str, login: str, password: str = "finesse") -> None:
    """Open a page that asks for a sign-in, and sign in."""
    open_page(page, url)
    page.get_by_label("Login ID").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
