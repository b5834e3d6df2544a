"""All users sign in at once, with no password in the cache: how long that takes, and the latency of
a user who has signed in before."""

import re
import time
from collections import deque
from functools import partial

from benchmarks.bench import Bench
from benchmarks.contenders import PYTHON, Ours
from benchmarks.crowd import Caller, Loop
from benchmarks.figures import Figure, percentiles
from benchmarks.load import http
from benchmarks.people import PASSWORD, agent

HASHERS = {
    "PBKDF2 as Django has it": "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "Argon2 as Django has it": "django.contrib.auth.hashers.Argon2PasswordHasher",
    "Argon2 with 19 MiB": "finesse.users.hashers.Argon2PasswordHasher",
}
USERS = 2000
CONNECTIONS = 200
"""Connections over which the users sign in."""
RETRY_SECONDS = 0.5
"""A client whose sign-in was answered 503 tries again after that time."""
REQUEST_INTERVAL_SECONDS = 0.05
"""Time between two requests of the signed-in user."""


def cold(bench: Bench) -> list[Figure]:
    figures = []
    # The short form leaves out Argon2 as Django has it.
    for name, hasher in list(HASHERS.items())[:: 2 if bench.short else 1]:
        figures += _with(bench, name, hasher)
    return figures


def _with(bench: Bench, name: str, hasher: str) -> list[Figure]:
    label = re.sub(r"\W+", "_", name).lower()
    database = bench.stage.database(label, bench.populated)
    contender = Ours(
        bench.stage,
        database,
        label,
        settings="benchmarks.hashed",
        more={"BENCHMARKS_HASHER": hasher},
    )
    make = (
        "import django; django.setup(); from django.contrib.auth.hashers import make_password;"
        f"print(make_password({PASSWORD!r}))"
    )
    stored = bench.stage.run([PYTHON, "-c", make], contender.environment()).strip()
    bench.stage.sql(database, f"UPDATE users_user SET password = '{stored}'")
    bench.play(["http"], contender)
    with bench.beating(contender):
        contender.await_service(agent(0))
        # Each worker checks one more password, which loads the modules that are imported late.
        quiet, _, _ = _storm(contender, 0, bench.seconds(5, 2))
        bench.say(f"{name}: all users sign in")
        storm, signed_in, refused = _storm(contender, bench.agents - 1, bench.seconds(20, 4))
    rate = signed_in / bench.seconds(20, 4)
    both = {"quiet": percentiles(quiet), "meanwhile": percentiles(storm)}
    return [
        Figure(
            name=f"sign-ins with passwords not known yet, {name}",
            unit="sign-ins/s",
            ours=[rate],
            shown=False,
            percentiles=both,
            notes=[
                f"{USERS:,} users at once: all in after {USERS / max(rate, 1e-9):,.0f} s; "
                f"{refused:,} were answered 503 and tried again",
                f"meanwhile a signed-in user with a request every {REQUEST_INTERVAL_SECONDS:g} s "
                f"got {len(storm)} answers",
            ],
        )
    ]


def _storm(contender: Ours, users: int, seconds: float) -> tuple[list[float], int, int]:
    """Milliseconds of the signed-in user's requests, the number of sign-ins, and that of 503s."""
    loop = Loop()
    waiting: deque[tuple[float, str]] = deque((0.0, agent(1 + one)) for one in range(users))
    free = deque(Caller(loop, contender.port) for _ in range(min(CONNECTIONS, users)))
    known = Caller(loop, contender.port)
    latencies: list[float] = []
    outcomes = {200: 0, 503: 0}

    def answered(caller: Caller, name: str, status: int) -> None:
        outcomes[status] += 1
        free.append(caller)
        if status == 503:
            waiting.append((time.monotonic() + RETRY_SECONDS, name))

    def measure(began: float, status: int) -> None:
        if status == 200:
            latencies.append((time.perf_counter() - began) * 1e3)

    request = http("GET", contender.media(agent(0)), agent(0))
    end, due, asked_at = time.monotonic() + seconds, 0.0, 0.0
    while (now := time.monotonic()) < end:
        while waiting and free and waiting[0][0] <= now:
            _, name = waiting.popleft()
            caller = free.popleft()
            asked = http("GET", contender.media(name), name)
            caller.ask(asked, partial(answered, caller, name))
        if known.is_free and now >= due:
            due = now + REQUEST_INTERVAL_SECONDS
            asked_at = time.perf_counter()
            known.ask(request, partial(measure, asked_at))
        loop.turn(0.01)
    if not known.is_free:
        # The last request has no answer yet: its latency is at least this.
        latencies.append((time.perf_counter() - asked_at) * 1e3)
    return latencies, outcomes[200], outcomes[503]
