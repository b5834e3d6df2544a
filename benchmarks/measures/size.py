"""Speed with many agents and after years; the statements of each path, and their plans."""

import json
import re
import time
from collections import defaultdict
from pathlib import Path
from random import Random

import httpx

from benchmarks.bench import Bench
from benchmarks.contenders import Ceiling, Contender, Ours, program
from benchmarks.crowd import Listener, Loop, ask_all, listen
from benchmarks.figures import Figure, Target
from benchmarks.load import wrk
from benchmarks.measures.administration import sign_in_as_administrator
from benchmarks.measures.flow import PENDING
from benchmarks.measures.rest import CONNECTIONS, put
from benchmarks.people import agent
from benchmarks.tap import Tap
from finesse.notifications.nodes import MEDIA
from finesse.notifications.places import Place

RESULTS = Path(__file__).resolve().parent.parent / "results"
BATCH_SIZE = 200
"""Requests that ours and the ceiling apply in one transaction."""
MISSED = 20
"""Missed notifications of each agent that reconnects; as in benchmarks/reader.py."""
RECONNECTING_SOCKETS = 200
NOT_MUCH_SLOWER = Target("ratio", 0.909)
"""At most 1.1 times slower."""
SCAN = re.compile(r"Seq Scan on (\w+)")
LARGE_TABLE_ROWS = 10_000
"""Tables with so many rows must not be scanned whole. In smaller ones a scan can be right: a batch
that changes a tenth of 2,000 Media should not look them up one by one."""
PAGES = {
    "users": "users/user/",
    "teams": "users/team/",
    "memberships": "media/media/",
    "requests": "media/mediarequest/",
    "history": "media/stateinterval/",
    "notifications": "notifications/notification/",
    "reason codes": "reasoncodes/reasoncode/",
}


def sizes(bench: Bench) -> list[tuple[int, int]]:
    """Numbers of agents and of old rows; the others are compared with the first.

    So that all do the same work, the smallest has as many agents as a batch has requests, and the
    agents have missed as many notifications in each.
    """
    small, middle, large = BATCH_SIZE, 2000, 20_000
    if bench.short:
        return [(small, MISSED * small), (middle, 200_000)]
    of_many = [(size, MISSED * size) for size in (small, middle, large)]
    return [*of_many, (middle, 5_000_000)]


def growth(bench: Bench) -> list[Figure]:
    """Accepting, applying and reconnecting, on installations of several sizes in turns."""
    made = {size: _installation(bench, *size) for size in sizes(bench)}
    base, *others = made
    what = ("accepted PUTs", "applied by the writer", "sockets that come back", "reading the log")
    rates: dict[tuple[str, tuple[int, int]], list[float]] = defaultdict(list)

    def one_round(size: tuple[int, int]) -> None:
        contender, agents = made[size], min(size[0], 2000)
        requests = [put(contender, number) for number in range(agents)]
        seconds = bench.seconds(6, 2)
        folder = bench.stage.folder
        load = wrk(contender.port, requests, folder, seconds=seconds, connections=CONNECTIONS)
        if load.errors:
            raise RuntimeError(f"{load.errors} of {load.requests} requests failed")
        rates[what[0], size].append(load.rate)
        # The same for each size: half NOT_READY with a reason, half READY. The agents of a batch
        # are from the whole range, and different ones where there are enough.
        turn = min(size[0], 2000)
        pending = PENDING.format(agents=turn, step=size[0] // turn, requests=4000)
        reading = program("reader", str(size[0]))
        # Each takes half a second, in which the machine may be busy with other work: three times.
        times = 1 if bench.short else 3
        for _ in range(times):
            bench.reset(contender)
            bench.stage.sql(contender.database, pending, "ANALYZE media_mediarequest")
            for name, command in ((what[1], contender.drain()), (what[3], reading)):
                result = json.loads(bench.stage.run(command, contender.environment()))
                rates[name, size].append(result["requests"] / result["seconds"])
        bench.reset(contender)
        contender.start("sockets")
        rates[what[2], size] += _coming_back(bench, contender, size[0], times)
        contender.end("sockets")

    bench.play(["http"], *made.values())
    with bench.beating(*made.values()):
        for size, contender in made.items():
            bench.warm(contender, min(size[0], 2000))
        bench.alternate("growth", list(made), one_round, 1 if bench.short else 5)
    return [
        Figure(
            name=f"{name}, {agents:,} agents and {rows:,} rows",
            unit="1/s",
            ours=rates[name, (agents, rows)],
            ceiling=rates[name, base],
            beside=f"the same with {base[0]:,} agents and {base[1]:,} rows",
            # Reading the log is a part of reconnecting, which has the target.
            target=None if name == what[3] else NOT_MUCH_SLOWER,
        )
        for name in what
        for agents, rows in others
    ]


def _coming_back(bench: Bench, contender: Contender, agents: int, times: int) -> list[float]:
    """Sockets a second that received what they had missed from a server that has just started.
    Eight connect at a time, of agents from the whole range."""
    ((head,),) = bench.stage.sql(contender.database, "SELECT position FROM notifications_loghead")
    position = head - MISSED * agents
    ((digits,),) = bench.stage.sql(
        contender.database,
        f"SELECT check_digits FROM notifications_notification WHERE position = {position}",
    )
    after = Place(position, digits).number
    back = [
        agent(number)
        for number in Random(RECONNECTING_SOCKETS).sample(range(agents), RECONNECTING_SOCKETS)
    ]
    names = {MEDIA.format(id=name): name for name in back}
    nodes = ", ".join(f"'{node}'" for node in names)
    missed = bench.stage.sql(
        contender.database,
        "SELECT node, count(*) FROM notifications_notification"
        f" WHERE position > {position} AND node IN ({nodes}) GROUP BY node",
    )
    rates = []
    # The first round, which checks their passwords, does not count.
    for number in range(1 + times):
        loop = Loop()
        left = {names[node]: count for node, count in missed}

        def heard(listener: Listener, frame: bytes, left: dict[str, int] = left) -> None:
            left[listener.login_id] -= 1
            if not left[listener.login_id]:
                del left[listener.login_id]

        began = time.perf_counter()
        path, port = contender.socket_path, contender.socket_port
        sockets = listen(loop, port, path, [*left], heard, after=after, at_once=8)
        if not loop.until(lambda left=left: not left, 60):  # type: ignore[misc]
            raise RuntimeError(f"{len(left)} of {len(missed)} did not get everything")
        if number:
            rates.append(len(missed) / (time.perf_counter() - began))
        for socket in sockets:
            socket.close()
    return rates


def _installation(bench: Bench, agents: int, rows: int) -> Ours:
    database = bench.population(agents, rows)
    return Ours(bench.stage, database, f"{agents}_{rows}", workers=1)


# --- statements -----------------------------------------------------------------------------------


def statements(bench: Bench) -> list[Figure]:
    """The statements and commands of both for one PUT and for a batch of ten requests."""
    contenders: list[Ours | Ceiling] = [bench.ours, bench.ceiling]
    bench.play(())
    found = {one.name: _overheard(bench, one) for one in contenders}
    lines = []
    for subject in found["ours"]:
        for name, of_one in found.items():
            heard = of_one[subject]
            lines += [f"## {subject}: {name} ({len(heard)})", "", "```", *heard, "```", ""]
    (RESULTS / "statements.md").write_text("\n".join(lines))
    return [
        Figure(
            name=subject,
            unit="round trips" if "PUT" in subject else "statements",
            ours=[len(found["ours"][subject])],
            ceiling=[len(found["ceiling"][subject])],
            better="less",
            shown=False,
            notes=["the lists: results/statements.md"],
        )
        for subject in found["ours"]
    ]


def _overheard(bench: Bench, contender: Ours | Ceiling) -> dict[str, list[str]]:
    services = bench.stage.services
    found: dict[str, list[str]] = {}
    with Tap.database(services.database) as database, Tap.redis(services.redis) as redis:
        contender.through(database, redis)
        with bench.beating(contender):
            contender.start("http")
            contender.await_service(agent(0))
            ask_all(contender.port, [put(contender, 0)] * 40)
            # A new process sends more, and each reads heartbeats now and then: the shortest of some
            # lists is what every PUT sends.
            sent = []
            for _ in range(10):
                database.heard.clear()
                redis.heard.clear()
                ask_all(contender.port, [put(contender, 0)], connections=1)
                sent.append(([*database.heard], [*redis.heard]))
            found["SQL of one PUT"] = min((one for one, _ in sent), key=len)
            found["Redis of one PUT"] = min((one for _, one in sent), key=len)
            contender.end(*tuple(contender.roles))
        bench.reset(contender)
        # A full batch before the ten: it has the statements that a new connection begins with.
        pending = BATCH_SIZE + 10
        statement = PENDING.format(agents=bench.agents, step=1, requests=pending)
        bench.stage.sql(contender.database, statement)
        database.heard.clear()
        bench.stage.run(contender.drain("--publish"), contender.environment())
        found["SQL of a batch of ten, applied and published"] = _second_batch(database.heard)
        bench.reset(contender)
    contender.through(None, None)
    return found


def _second_batch(heard: list[str]) -> list[str]:
    """The statements from the second lock of the head up to a third, which finds nothing to do."""
    begins = [number for number, one in enumerate(heard) if one.startswith("BEGIN")]
    locks = [begin for begin in begins if "loghead" in heard[begin + 1]]
    return heard[locks[1] : locks[2] if len(locks) > 2 else None]


def plans(bench: Bench) -> list[Figure]:
    """PostgreSQL's plans, with the most agents and with the most old rows."""
    notes, lines, scans = [], [], []
    bench.play(())
    for number, (agents, rows) in enumerate(_extremes(bench)):
        where = f"{agents:,} agents and {rows:,} rows"
        database = bench.population(agents, rows)
        contender = Ours(bench.stage, database, f"plans_{number}", workers=1)
        bench.say(f"explaining the statements of each path, {where}")
        large = _large_tables(bench, contender)
        notes.append(f"{where}: large are {', '.join(sorted(large))}")
        lines.append(f"# {where}\n")
        for subject, heard in _paths(bench, contender).items():
            lines.append(f"## {subject}\n")
            for statement in dict.fromkeys(heard):
                if statement.startswith(("SELECT", "UPDATE", "DELETE")) and " FROM " in statement:
                    plan = _plan(bench, contender, statement)
                    lines += ["```", statement[:1500], "", *plan, "```", ""]
                    scans += [
                        f"{where}, {subject}: {one.strip()}"
                        for one in plan
                        if large.intersection(SCAN.findall(one))
                    ]
        bench.reset(contender)
    (RESULTS / "plans.md").write_text("\n".join(lines))
    return [
        Figure(
            name=f"scans of tables with {LARGE_TABLE_ROWS:,} rows or more",
            unit="scans",
            ours=[len(scans)],
            better="less",
            target=Target("ours", 0, at_most=True),
            shown=False,
            notes=[*notes, *scans, "the plans: results/plans.md"],
        )
    ]


def _extremes(bench: Bench) -> list[tuple[int, int]]:
    """The size with the most agents, and the one with the most old rows."""
    both = max(sizes(bench)), max(sizes(bench), key=lambda size: size[1])
    return list(dict.fromkeys(both))


def _large_tables(bench: Bench, contender: Contender) -> set[str]:
    statement = (
        f"SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= {LARGE_TABLE_ROWS}"
    )
    return {name for (name,) in bench.stage.sql(contender.database, statement)}


def _paths(bench: Bench, contender: Ours) -> dict[str, list[str]]:
    """The statements of each path."""
    found: dict[str, list[str]] = {}
    with Tap.database(bench.stage.services.database) as tap:
        contender.through(tap)
        with bench.beating(contender):
            contender.start("http", "sockets")
            contender.await_service(agent(0))
            tap.heard.clear()
            ask_all(contender.port, [put(contender, 0)], connections=1)
            found["a PUT"] = [*tap.heard]
            tap.heard.clear()
            _listen_once(bench, contender)
            found["a socket that comes back"] = [*tap.heard]
            contender.end(*tuple(contender.roles))
        bench.stage.sql(contender.database, PENDING.format(agents=10, step=1, requests=10))
        tap.heard.clear()
        bench.stage.run(contender.drain("--publish"), contender.environment())
        found["the writer and the publisher"] = [*tap.heard]
    return found


def _listen_once(bench: Bench, contender: Contender) -> None:
    ((head,),) = bench.stage.sql(contender.database, "SELECT position FROM notifications_loghead")
    loop = Loop()
    path, port = contender.socket_path, contender.socket_port
    after = max(0, head - 5000)
    sockets = listen(loop, port, path, [agent(0)], lambda *_: None, after=after)
    loop.until(lambda: False, 1.0)
    for socket in sockets:
        socket.close()


def _plan(bench: Bench, contender: Contender, statement: str) -> list[str]:
    """The generic plan, since the statement was noted without its values."""
    places = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
    values = f"({', '.join(['NULL'] * places)})" if places else ""
    rows = bench.stage.sql(
        contender.database,
        "SET plan_cache_mode = force_generic_plan",
        f"PREPARE heard AS {statement}",
        f"EXPLAIN EXECUTE heard{values}",
    )
    return [line for (line,) in rows]


# --- pages ----------------------------------------------------------------------------------------


def admin(bench: Bench) -> list[Figure]:
    """The administration's lists until their first byte, for the two extreme sizes."""
    took: dict[str, list[float]] = {}
    notes = []
    for number, (agents, rows) in enumerate(_extremes(bench)):
        database = bench.population(agents, rows)
        contender = Ours(bench.stage, database, f"admin_{number}", workers=1)
        notes.append(f"{agents:,} agents, {rows:,} rows of requests, history and log")
        bench.play(["http"], contender)
        with bench.beating(contender):
            contender.await_service(agent(0))
            for name, seconds in _pages(bench, contender).items():
                took.setdefault(name, []).append(max(seconds))
    slowest = max(took, key=lambda name: max(took[name]))
    for name, seconds in took.items():
        notes.append(f"{name}: {', '.join(f'{one * 1e3:,.0f}' for one in seconds)} ms")
    return [
        Figure(
            name=f"the slowest list of the administration ({slowest}), first byte",
            unit="s",
            ours=[max(took[slowest])],
            better="less",
            target=Target("ours", 1.0, at_most=True),
            shown=False,
            notes=notes,
        )
    ]


def _pages(bench: Bench, contender: Contender) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{contender.port}", timeout=60) as client:
        sign_in_as_administrator(client)
        for name, page in PAGES.items():
            bench.say(f"the administration's list of {name}")
            for number in range(3 if bench.short else 6):
                began = time.perf_counter()
                with client.stream("GET", f"/admin/{page}") as response:
                    first_byte = time.perf_counter() - began
                    response.read()
                if response.status_code != 200:
                    raise RuntimeError(f"{page} is answered {response.status_code}")
                if number:
                    took.setdefault(name, []).append(first_byte)
    return took
