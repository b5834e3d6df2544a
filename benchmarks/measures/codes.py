"""The list of reason codes in the administration, with 200 codes and millions of intervals."""

import json
import time

import httpx

from benchmarks.bench import Bench
from benchmarks.contenders import Ours, program
from benchmarks.figures import Figure, Target
from benchmarks.measures.administration import sign_in_as_administrator
from benchmarks.people import agent

AGENTS, ROWS = 2000, 5_000_000
AGENTS_SHORT, ROWS_SHORT = 200, 200_000
CODES = 200
PAGES = {
    "ours": "/admin/reasoncodes/reasoncode/",
    "stock": "/stock/reasoncodes/stockcode/",
}


def reason_codes(bench: Bench) -> list[Figure]:
    """Our list and Django's own of the same codes, in turns, until the first byte.

    Both are answered by one process of one server, to one signed-in administrator, who sees all
    codes. Either page has 200 rows, and is refused here with fewer. Each is asked once before, so
    that templates are compiled and connections open. Django's does less: it has no use, teams,
    groups or rights by row. Ours may keep nothing between two requests that Django's may not: the
    use is read from its tables each time.
    """
    agents, rows = (AGENTS_SHORT, ROWS_SHORT) if bench.short else (AGENTS, ROWS)
    # Of the three large tables only the history is behind this page; it is written below.
    database = bench.stage.database("codes", bench.population(agents))
    contender = Ours(
        bench.stage, database, "codes", settings="benchmarks.stock_settings", workers=1
    )
    bench.say(f"writing {rows:,} intervals of 200 reason codes, and counting their use")
    command = [*program("codes"), "--codes", str(CODES), "--rows", str(rows)]
    counted = json.loads(bench.stage.run(command, contender.environment()))
    took: dict[str, list[float]] = {name: [] for name in PAGES}
    bench.play(["http"], contender)
    with bench.beating(contender):
        contender.await_service(agent(0))
        with httpx.Client(base_url=f"http://127.0.0.1:{contender.port}", timeout=60) as client:
            sign_in_as_administrator(client)
            for name in PAGES:
                _first_byte(client, PAGES[name])

            def one_round(name: str) -> None:
                times = 5 if bench.short else 15
                took[name] += [_first_byte(client, PAGES[name]) for _ in range(times)]

            bench.alternate("the list of reason codes", list(PAGES), one_round)
    return [
        Figure(
            name="the list of 200 reason codes, first byte",
            unit="s",
            ours=took["ours"],
            ceiling=took["stock"],
            beside="the stock administration's list of the same codes, without their use",
            better="less",
            target=Target("ours", 0.3, at_most=True),
            shown=False,
            notes=[
                f"{agents:,} agents, {rows:,} intervals of the last 40 days, "
                f"written in {counted['writing']:.0f} s",
                f"counting the use of all of them anew: {counted['counting']:.1f} s",
                f"the slowest of ours: {max(took['ours']) * 1e3:,.0f} ms",
            ],
        )
    ]


def _first_byte(client: httpx.Client, page: str) -> float:
    began = time.perf_counter()
    with client.stream("GET", page) as response:
        took = time.perf_counter() - began
        text = response.read().decode()
    if response.status_code != 200 or text.count('<td class="action-checkbox">') != CODES:
        raise RuntimeError(f"{page} is answered {response.status_code} without {CODES} rows")
    return took
