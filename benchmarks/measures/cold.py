"""Everybody signs in at once, and no password is known: how long that takes, and what those feel
who are signed in already."""

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
COMERS = 2000
AT_ONCE = 200
"""Connections of those who come."""
AGAIN = 0.5
"""Seconds after which one who was told 503 tries again."""
EVERY = 0.05
"""Seconds from one request to the next of the one who is signed in."""


def cold(bench: Bench) -> list[Figure]:
    figures = []
    # The short form leaves out the one that gains nothing.
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
        # Each worker checks one more, so that what is loaded late is loaded.
        quiet, _, _ = _storm(contender, 0, bench.seconds(5, 2))
        bench.say(f"{name}: everybody comes")
        storm, come, refused = _storm(contender, bench.agents - 1, bench.seconds(20, 4))
    rate = come / bench.seconds(20, 4)
    both = {"quiet": percentiles(quiet), "meanwhile": percentiles(storm)}
    return [
        Figure(
            name=f"sign-ins with passwords not known yet, {name}",
            unit="sign-ins/s",
            ours=[rate],
            shown=False,
            percentiles=both,
            notes=[
                f"{COMERS:,} users at once: all in after {COMERS / max(rate, 1e-9):,.0f} s; "
                f"{refused:,} were told 503 and came again",
                f"a user who was signed in, asking every {EVERY * 1e3:.0f} ms, was answered "
                f"{len(storm)} times meanwhile",
            ],
        )
    ]


def _storm(contender: Ours, comers: int, seconds: float) -> tuple[list[float], int, int]:
    """Milliseconds of the signed-in user's requests; how many came in; how many 503s that took."""
    loop = Loop()
    waiting: deque[tuple[float, str]] = deque((0.0, agent(1 + one)) for one in range(comers))
    free = deque(Caller(loop, contender.port) for _ in range(min(AT_ONCE, comers)))
    known = Caller(loop, contender.port)
    latencies: list[float] = []
    outcomes = {200: 0, 503: 0}

    def answered(caller: Caller, name: str, status: int) -> None:
        outcomes[status] += 1
        free.append(caller)
        if status == 503:
            waiting.append((time.monotonic() + AGAIN, name))

    def told(began: float, status: int) -> None:
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
            due = now + EVERY
            asked_at = time.perf_counter()
            known.ask(request, partial(told, asked_at))
        loop.turn(0.01)
    if not known.is_free:
        # Not answered until now: it felt at least this.
        latencies.append((time.perf_counter() - asked_at) * 1e3)
    return latencies, outcomes[200], outcomes[503]
