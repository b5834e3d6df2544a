"""What metrics and logs cost: the service with them, beside the same service without."""

from benchmarks.bench import Bench
from benchmarks.contenders import Ours
from benchmarks.figures import Figure, Target, percentiles
from benchmarks.load import wrk
from benchmarks.measures.flow import ROLES, Cycles, one_cycle
from benchmarks.measures.rest import CONNECTIONS, Rounds, put

OBSERVED = {"FINESSE_LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
LEAST = Target("ratio", 0.97)
BARE = "the same without metrics, at WARNING"
VARIANTS = ("observed", "with a line a request", "bare")


def observing(bench: Bench) -> list[Figure]:
    """Accepted PUTs and whole cycles: with metrics and JSON at INFO, with a line for each request
    that is accepted or applied, too, and with neither."""
    variants = {
        "observed": _variant(bench, "observed", OBSERVED),
        "with a line a request": _variant(bench, "lines", OBSERVED | {"FINESSE_LOG_REQUESTS": "1"}),
        "bare": _variant(bench, "bare", {}, settings="benchmarks.unobserved"),
    }
    return [*_accepted(bench, variants), *_cycles(bench, variants)]


def _variant(
    bench: Bench, label: str, more: dict[str, str], settings: str = "benchmarks.settings"
) -> Ours:
    database = bench.stage.database(label, bench.populated)
    return Ours(bench.stage, database, label, settings=settings, more=more)


def _accepted(bench: Bench, variants: dict[str, Ours]) -> list[Figure]:
    rounds = Rounds(bench)
    bench.play(["http"], *variants.values())
    with bench.beating(*variants.values()):
        for contender in variants.values():
            bench.warm(contender)

        def one_round(name: str) -> None:
            contender = variants[name]
            requests = [put(contender, number) for number in range(bench.agents)]
            wrk(contender.port, requests, bench.stage.folder, seconds=1, connections=CONNECTIONS)
            rounds.run(contender, requests, bench.seconds(6, 2), name)
            bench.reset(contender)

        bench.alternate("accepting", VARIANTS, one_round)
    rates = {name: rounds.rates(name) for name in VARIANTS}
    return _figures("PUT", "requests/s", rates, rounds.percentiles(), rounds.cpu())


def _cycles(bench: Bench, variants: dict[str, Ours]) -> list[Figure]:
    rates: dict[str, list[float]] = {name: [] for name in VARIANTS}
    cpu: dict[str, dict[str, float]] = {}
    seen = {name: Cycles() for name in VARIANTS}

    def one_round(name: str) -> None:
        rate, cpu[name], _ = one_cycle(bench, variants[name], seen[name])
        rates[name].append(rate)

    bench.play((), *variants.values())
    for contender in variants.values():
        bench.reset(contender)
    bench.play(ROLES, *variants.values())
    for contender in variants.values():
        bench.warm(contender)
    bench.alternate("whole cycles", VARIANTS, one_round)
    latencies = {
        name: percentiles([one * 1e3 for one in of_one.latencies]) for name, of_one in seen.items()
    }
    return _figures("whole cycles", "cycles/s", rates, latencies, cpu)


def _figures(
    what: str,
    unit: str,
    rates: dict[str, list[float]],
    latencies: dict[str, dict[str, float]],
    cpu: dict[str, dict[str, float]],
) -> list[Figure]:
    observed, lines, bare = (rates[name] for name in VARIANTS)
    return [
        Figure(
            name=f"{what} with metrics and logs",
            unit=unit,
            ours=observed,
            ceiling=bare,
            beside=BARE,
            target=LEAST,
            percentiles=latencies,
            cpu=cpu,
        ),
        Figure(
            name=f"{what} with a line for each request",
            unit=unit,
            ours=lines,
            ceiling=bare,
            beside=BARE,
            shown=False,
        ),
    ]
