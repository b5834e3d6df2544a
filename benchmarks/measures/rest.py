"""The API alone: accepting, reading, and the cost of authentication."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks.bench import Bench
from benchmarks.contenders import Contender, Ours
from benchmarks.figures import Figure, Target
from benchmarks.load import Load, http, wrk
from benchmarks.machine import Meter
from benchmarks.people import NOT_READY, agent

CONNECTIONS = 16
"""Enough that no worker waits for a request, and few enough that no request waits long."""


def put(contender: Contender, number: int) -> bytes:
    """The PUT of NOT_READY of one agent."""
    name = agent(number)
    return http("PUT", contender.media(name), name, NOT_READY, f"r-{number}")


class Rounds:
    """Rounds of wrk against several contenders, with the CPU time of each."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.loads: dict[str, list[Load]] = defaultdict(list)
        self._cpu: dict[str, list[dict[str, float]]] = defaultdict(list)

    def rates(self, name: str) -> list[float]:
        return [load.rate for load in self.loads[name]]

    def percentiles(self) -> dict[str, dict[str, float]]:
        return {name: _median_of(loads) for name, loads in self.loads.items()}

    def cpu(self) -> dict[str, dict[str, float]]:
        return {
            name: {
                role: sorted(one[role] for one in rounds)[len(rounds) // 2] for role in rounds[0]
            }
            for name, rounds in self._cpu.items()
        }

    def run(
        self, contender: Contender, requests: Sequence[bytes], seconds: float, name: str = ""
    ) -> None:
        """Run one round. Raises RuntimeError if one request is not answered as it should be."""
        name = name or contender.name
        meter = Meter(contender.meters())
        folder = self._bench.stage.folder
        load = wrk(contender.port, requests, folder, seconds=seconds, connections=CONNECTIONS)
        if load.errors:
            raise RuntimeError(f"{name}: {load.errors} of {load.requests} requests failed")
        spent = {role: cpu * 1e3 / load.requests for role, cpu in meter.read().items()}
        self.loads[name].append(load)
        self._cpu[name].append(spent | {"wrk": load.cpu * 1e3 / load.requests})


def _median_of(loads: Sequence[Load]) -> dict[str, float]:
    middle = len(loads) // 2
    return {
        name: sorted(getattr(load, name) for load in loads)[middle]
        for name in ("p50", "p95", "p99")
    }


def accept(bench: Bench) -> list[Figure]:
    """PUTs until their 202; no worker applies them."""
    contenders: list[Contender] = [bench.ours, bench.ceiling, bench.plain]
    rounds = Rounds(bench)
    bench.play(["http"], *contenders)
    with bench.beating(*contenders):
        for contender in contenders:
            bench.warm(contender)

        def one_round(contender: Contender) -> None:
            requests = [put(contender, number) for number in range(bench.agents)]
            wrk(contender.port, requests, bench.stage.folder, seconds=1, connections=CONNECTIONS)
            rounds.run(contender, requests, bench.seconds(8, 2))
            bench.reset(contender)

        bench.alternate("accepting", contenders, one_round)
    measured = {
        "unit": "requests/s",
        "ours": rounds.rates("ours"),
        "percentiles": rounds.percentiles(),
        "cpu": rounds.cpu(),
    }
    return [
        Figure(
            name="accepted PUTs",
            ceiling=rounds.rates("ceiling"),
            target=Target("ratio", 0.50),
            **measured,  # type: ignore[arg-type]
        ),
        Figure(
            name="accepted PUTs, beside plain DRF",
            unit="requests/s",
            ours=rounds.rates("ours"),
            plain=rounds.rates("plain DRF"),
            target=Target("of plain", 2),
        ),
    ]


def read(bench: Bench) -> list[Figure]:
    """GET of a Media, and of the list of reason codes."""
    contenders: list[Contender] = [bench.ours, bench.ceiling]
    paths: dict[str, Callable[[str], str]] = {
        "GET Media": lambda name: f"/finesse/api/User/{name}/Media/5000",
        "GET reason codes": lambda name: f"/finesse/api/User/{name}/ReasonCodes?category=NOT_READY",
    }
    figures = []
    bench.play(["http"], *contenders)
    with bench.beating(*contenders):
        for contender in contenders:
            bench.warm(contender)
        for what, path in paths.items():
            rounds = Rounds(bench)
            names = [agent(number) for number in range(bench.agents)]
            requests = [http("GET", path(name), name) for name in names]

            def one_round(
                contender: Contender,
                rounds: Rounds = rounds,
                requests: Sequence[bytes] = requests,
            ) -> None:
                rounds.run(contender, requests, bench.seconds(6, 2))

            bench.alternate(what, contenders, one_round)
            figures.append(
                Figure(
                    name=what,
                    unit="requests/s",
                    ours=rounds.rates("ours"),
                    ceiling=rounds.rates("ceiling"),
                    target=Target("ratio", 0.40),
                    percentiles=rounds.percentiles(),
                    cpu=rounds.cpu(),
                )
            )
    return figures


def authentication(bench: Bench) -> list[Figure]:
    """The same PUT with HTTP Basic, without a check of the password, and without reading the user.

    The target compares the first with the second, which reads the user, too, since the endpoint
    needs the team. The third shows the cost of that read.
    """
    variants = {
        "basic": bench.ours,
        "bypassed": _bypassing(bench, "Believed"),
        "invented": _bypassing(bench, "Invented"),
    }
    rounds = Rounds(bench)
    bench.play(["http"], *variants.values())
    with bench.beating(*variants.values()):
        for contender in variants.values():
            bench.warm(contender)

        def one_round(name: str) -> None:
            contender = variants[name]
            requests = [put(contender, number) for number in range(bench.agents)]
            rounds.run(contender, requests, bench.seconds(6, 2), name)
            bench.reset(contender)

        bench.alternate("authentication", list(variants), one_round)
    measured = {
        "unit": "requests/s",
        "ours": rounds.rates("basic"),
    }
    return [
        Figure(
            name="PUT with HTTP Basic",
            target=Target("ratio", 0.95),
            beside="a name that is believed (the user is read, nothing is checked)",
            ceiling=rounds.rates("bypassed"),
            percentiles=rounds.percentiles(),
            cpu=rounds.cpu(),
            **measured,  # type: ignore[arg-type]
        ),
        Figure(
            name="PUT with HTTP Basic, beside an invented user",
            beside="a user who is not even read",
            ceiling=rounds.rates("invented"),
            shown=False,
            **measured,  # type: ignore[arg-type]
        ),
    ]


def _bypassing(bench: Bench, how: str) -> Ours:
    database = bench.stage.database(how.lower(), bench.populated)
    bypass = {"BENCHMARKS_BYPASS": f"benchmarks.bypass.{how}"}
    return Ours(bench.stage, database, how.lower(), settings="benchmarks.bypassed", more=bypass)
