"""A page in Chromium: signed in, and listened to."""

from playwright.sync_api import ConsoleMessage, Page


def note_problems(page: Page, problems: list[str]) -> None:
    """Add to `problems` what a page's console and its scripts complain of from now on."""

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(f"{message.text} ({message.location})")

    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(str(error)))


def sign_in(page: Page, url: str, login: str, password: str = "finesse") -> None:
    """Open a page that asks for a sign-in, and sign in."""
    page.goto(url)
    page.get_by_label("Login ID").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
