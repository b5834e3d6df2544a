"""A browser window with the viewer, as people use it."""

import json
from typing import Any

from playwright.sync_api import Browser, Locator, expect

from tests.kit.followers import position_of
from tests.kit.pages import note_problems, sign_in

LONG_TIMEOUT_MS = 60_000


class Window:
    """A separate browser, with all messages of its console and its sockets."""

    def __init__(self, browser: Browser, url: str, width: int, height: int, **options: Any) -> None:
        self.url = url
        size: Any = {"width": width, "height": height}
        self.context = browser.new_context(viewport=size, **options)
        self.context.set_default_timeout(LONG_TIMEOUT_MS)
        self.problems: list[str] = []
        self.frames: list[dict[str, Any]] = []
        self.page = self.new_tab()

    def new_tab(self) -> Any:
        page = self.context.new_page()
        note_problems(page, self.problems)
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))
        return page

    def _take(self, frame: str | bytes) -> None:
        self.frames.append(json.loads(frame))

    def sign_in(self, login: str, password: str = "finesse", path: str = "") -> None:
        sign_in(self.page, self.url + path, login, password)

    def sign_in_and_go_live(self, login: str, path: str = "") -> None:
        self.sign_in(login, path=path)
        self.expect_connection("live")

    def expect_connection(self, state: str) -> None:
        connection = self.page.get_by_test_id("connection")
        expect(connection).to_have_attribute("data-state", state, timeout=LONG_TIMEOUT_MS)

    @property
    def rows(self) -> Locator:
        return self.page.get_by_test_id("board").locator("tr[data-source]")

    def row(self, user: str, mrd: int) -> Locator:
        source = f"/finesse/api/User/{user}/Media/{mrd}"
        return self.page.locator(f'tr[data-source="{source}"]')

    def states(self) -> list[str]:
        """State and reason of each row, without the time."""
        return self.rows.locator("[data-field=state], [data-field=reason]").all_inner_texts()

    @property
    def items(self) -> Locator:
        return self.page.get_by_test_id("stream").locator("li[data-position]")

    def item(self, request_id: str) -> Locator:
        request = self.page.get_by_text(f"request {request_id}", exact=True)
        return self.items.filter(has=request)

    def positions(self) -> list[int]:
        shown = [item.get_attribute("data-position") or "0" for item in self.items.all()]
        return [position_of(int(number)) for number in shown]

    def sources(self) -> set[str]:
        """The sources of all notifications that the sockets received, shown or not."""
        return {frame["source"] for frame in self.frames if frame["type"] == "notification"}

    def draw(self) -> None:
        """Return when everything that has arrived is drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def focused(self) -> str:
        return self.page.evaluate(
            "() => { const { id, dataset, tagName } = document.activeElement;"
            " return id || dataset.sort || dataset.state || tagName; }"
        )
