"""Reports on five million intervals, and what their index and sums cost the writer."""

import json

from benchmarks.bench import Bench
from benchmarks.contenders import Ours, program
from benchmarks.figures import Figure, Target
from benchmarks.measures.flow import fill

AGENTS, DAYS = 2000, 40
AGENTS_SHORT, DAYS_SHORT = 200, 10
TARGETS = {
    "a team's day, by agent and reason": 0.3,
    "a team's month, by agent and reason": 1.0,
    "the whole month, by team and reason": 3.0,
}
WITHOUT = (
    "DROP INDEX interval_of_media",
    "CREATE INDEX media_stateinterval_ended_at_before ON media_stateinterval (ended_at)",
    "VACUUM ANALYZE media_stateinterval",
)
"""The indexes as they were before there were reports."""


def reports(bench: Bench) -> list[Figure]:
    agents, days = (AGENTS_SHORT, DAYS_SHORT) if bench.short else (AGENTS, DAYS)
    database = bench.stage.database("reports", bench.population(agents))
    ours = Ours(bench.stage, database, "reports")
    bench.say(f"writing the history of {agents:,} agents in {days} days")
    bench.stage.run([*program("reports"), "--days", str(days), "--fill"], ours.environment())
    before = Ours(bench.stage, bench.stage.database("before", database), "before")
    bench.stage.sql(before.database, *WITHOUT)
    bench.say("making the hourly sums, and reporting")
    printed = bench.stage.run([*program("reports"), "--days", str(days)], ours.environment())
    found = json.loads(printed)
    notes = [
        f"{agents:,} agents, {found['intervals']:,} intervals, {found['sums']:,} hourly sums",
        f"sums of {found['hours']:,} hours: {found['making'] / max(found['hours'], 1):.3f} s each",
    ]
    figures = [
        Figure(
            name=f"report: {name}",
            unit="s",
            ours=took,
            better="less",
            target=Target("ours", TARGETS[name], at_most=True) if name in TARGETS else None,
            shown=False,
            notes=[*notes, *found["plans"][name]],
        )
        for name, took in found["took"].items()
    ]
    return [*figures, _writer(bench, ours, before)]


def _writer(bench: Bench, ours: Ours, before: Ours) -> Figure:
    """Applying pending requests with the index of reports, beside the index that was before."""
    rates: dict[str, list[float]] = {one.instance: [] for one in (ours, before)}
    requests = 2 * round(bench.seconds(20_000, 4_000) / 2 / bench.agents) * bench.agents

    def one_round(contender: Ours) -> None:
        bench.reset(contender)
        fill(bench, contender, requests)
        result = json.loads(bench.stage.run(contender.drain(), contender.environment()))
        rates[contender.instance].append(requests / result["seconds"])

    bench.play(())
    bench.alternate("the writer with and without reports", [ours, before], one_round)
    return Figure(
        name="applied by the writer alone, with the index of reports",
        unit="requests/s",
        ours=rates[ours.instance],
        ceiling=rates[before.instance],
        beside="the same with the indexes before there were reports",
        target=Target("ratio", 0.95),
        shown=False,
    )
