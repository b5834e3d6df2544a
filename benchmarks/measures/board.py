"""The live board in Chromium: the main thread's work while agents change, and the first view."""

import math
import shutil
import subprocess
import time
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.bench import Bench
from benchmarks.contenders import Ours, program
from benchmarks.figures import Figure, Target
from benchmarks.people import ADMINISTRATOR, PASSWORD, agent
from benchmarks.stage import ROOT

AGENTS = 2000
RATE = 300
"""Changes of Media a second."""
SETTLED_SECONDS = 3
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE: Any = {"width": 1400, "height": 900}
VIEWS = {"a row an MRD": "/?sort=over", "a row an agent": "/?rows=agents"}
FIRST_ROW = "() => document.querySelector('tbody [data-source]') && performance.now()"


def board(bench: Bench) -> list[Figure]:
    """An administrator's board of 2,000 agents in three MRDs each."""
    database = bench.stage.database("board", bench.population(AGENTS))
    contender = Ours(bench.stage, database, "board")
    bench.stage.run(program("board_feed"), contender.environment())
    bench.play(["http", "sockets"], contender)
    with bench.beating(contender), sync_playwright() as playwright:
        contender.await_service(agent(0))
        url = f"http://127.0.0.1:{contender.socket_port}"
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        signed_in = _sign_in(chromium, url)
        shares = {name: _shares(bench, contender, signed_in, url + VIEWS[name]) for name in VIEWS}
        firsts = [_first_view(chromium, signed_in, url) for _ in range(bench.rounds)]
        chromium.close()
    of_mrds, of_agents = shares.values()
    return [
        Figure(
            name="board of 6,000 Media at 300 changes a second, main thread in Chromium",
            unit="% of a core",
            ours=of_mrds,
            better="less",
            target=Target("ours", 40, at_most=True),
            shown=False,
            notes=[f"with a row an agent: {max(of_agents):.1f} % at most"],
        ),
        Figure(
            name="board of 6,000 Media, from the address to the first rows, nothing in the cache",
            unit="s",
            ours=firsts,
            better="less",
            target=Target("ours", 1, at_most=True),
            shown=False,
        ),
    ]


def _sign_in(chromium: Browser, url: str) -> BrowserContext:
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.get_by_label("Login ID").fill(ADMINISTRATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    page.close()
    return context


def _shares(bench: Bench, contender: Ours, context: BrowserContext, address: str) -> list[float]:
    """Per cent of a core that the page's main thread works, once a round."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-testid=connection][data-state=live]")
    page.wait_for_selector("tbody [data-source]")
    debugger = context.new_cdp_session(page)
    # CPU time of the thread: what else the machine does is not the page's work.
    debugger.send("Performance.enable", {"timeDomain": "threadTicks"})
    with subprocess.Popen(
        program("board_feed", f"--rate={RATE}"),
        cwd=ROOT,
        env=contender.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as feed:
        shares = [_share(bench, feed, page, debugger) for _ in range(bench.rounds)]
        feed.kill()
    page.close()
    if not (fair := [share for share in shares if not math.isnan(share)]):
        raise RuntimeError("The machine is too busy: the changes do not come to the page in time")
    return fair


def _share(bench: Bench, feed: "subprocess.Popen[str]", page: Page, debugger: Any) -> float:
    assert feed.stdin is not None
    assert feed.stdout is not None
    seconds = bench.seconds(20, 8)
    feed.stdin.write(f"{SETTLED_SECONDS + seconds + 1}\n")
    feed.stdin.flush()
    time.sleep(SETTLED_SECONDS)
    before, first, began = _metrics(debugger), _newest(page), time.monotonic()
    time.sleep(seconds)
    after, last, took = _metrics(debugger), _newest(page), time.monotonic() - began
    published = int(feed.stdout.readline())
    if published < 0.9 * RATE * (SETTLED_SECONDS + seconds):
        raise RuntimeError(f"Only {published} changes were published")
    arrived = (last - first) / took
    if arrived < 0.8 * RATE:
        bench.say(f"Only {arrived:.0f} changes a second came to the page: not a figure")
        return math.nan
    spent = {name: (after[name] - before[name]) / took * 100 for name in PARTS}
    said = ", ".join(f"{name} {share:.1f} %" for name, share in spent.items())
    bench.say(f"{arrived:.0f} changes a second: {said}")
    return spent["TaskDuration"]


PARTS = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def _newest(page: Page) -> int:
    """The position of the newest notification that the page shows."""
    shown = page.locator("#stream li[data-position]").first.get_attribute("data-position")
    return int(shown or 0) // Ours.numbers_per_position


def _metrics(debugger: Any) -> dict[str, float]:
    found = debugger.send("Performance.getMetrics")["metrics"]
    return {one["name"]: one["value"] for one in found}


def _first_view(chromium: Browser, signed_in: BrowserContext, url: str) -> float:
    """Seconds from the address to the first rows, in a browser without a cache."""
    context = chromium.new_context(viewport=SIZE, storage_state=signed_in.storage_state())
    page: Page = context.new_page()
    page.goto(url, wait_until="commit")
    shown: float = page.wait_for_function(FIRST_ROW).json_value()
    context.close()
    return shown / 1000
