"""One run: which contenders run, how long and how often they are measured, and the figures."""

import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from redis import Redis

from benchmarks.contenders import Ceiling, Contender, Ours, Plain, manage, populate, program
from benchmarks.crowd import ask_all
from benchmarks.figures import Figure
from benchmarks.load import http
from benchmarks.people import agent
from benchmarks.stage import Stage

T = TypeVar("T")


class Bench:
    """Contenders and databases are made when a measure first needs them."""

    def __init__(self, stage: Stage, *, short: bool) -> None:
        self.stage = stage
        self.short = short
        self.figures: list[Figure] = []
        self.agents = 400 if short else 2000
        """Agents of the databases that most measures share."""
        self.rounds = 2 if short else 5
        self._on_stage: list[Contender] = []
        self._populations: dict[tuple[int, int], str] = {}
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:5.0f} s  {text}", file=sys.stderr, flush=True)

    def seconds(self, whole: float, short: float) -> float:
        return short if self.short else whole

    # --- contenders -----------------------------------------------------------------------------

    @cached_property
    def migrated(self) -> str:
        """The database with the service's empty tables, from which the others are copied."""
        self.say("making the tables")
        database = self.stage.database("migrated")
        manage(Ours(self.stage, database, "migrating"), "migrate", "--verbosity", "0")
        return database

    @cached_property
    def populated(self) -> str:
        return self.population(self.agents)

    def population(self, agents: int, rows: int = 0) -> str:
        """A database with so many agents, and so many old rows in each of three tables.

        It is made once, and measures copy it.
        """
        if (agents, rows) in self._populations:
            return self._populations[agents, rows]
        label = f"{agents}_agents_{rows}_rows"
        self.say(f"making {agents:,} agents and {rows:,} old rows")
        database = self.stage.database(label, self.migrated)
        populate(Ours(self.stage, database, label), agents, rows)
        self._populations[agents, rows] = database
        return database

    @cached_property
    def ours(self) -> Ours:
        return Ours(self.stage, self.stage.database("ours", self.populated))

    @cached_property
    def ceiling(self) -> Ceiling:
        return Ceiling(self.stage, self.stage.database("ceiling", self.populated))

    @cached_property
    def plain(self) -> Plain:
        made = Plain(self.stage, self.stage.database("plain"))
        command = program("plain.populate", str(self.agents))
        self.stage.run(command, made.environment())
        return made

    def play(self, roles: Sequence[str], *contenders: Contender) -> None:
        """Start these roles of these contenders, and end all others."""
        for contender in self._on_stage:
            kept = roles if contender in contenders else ()
            contender.end(*(role for role in contender.roles if role not in kept))
        self._on_stage = [*contenders]
        for contender in contenders:
            contender.start(*roles)

    def warm(self, contender: Contender, agents: int | None = None) -> None:
        """Send one request of every agent, since the first one checks the password."""
        contender.await_service(agent(0))
        names = map(agent, range(agents or self.agents))
        asked = [http("GET", contender.media(name), name) for name in names]
        # No more at once than each process may check passwords at a time.
        if (statuses := ask_all(contender.port, asked, connections=2)).keys() != {200}:
            raise RuntimeError(f"{contender.name} answers {statuses}")

    def reset(self, contender: Contender) -> None:
        """Set all agents READY and leave no request pending, as each measure expects."""
        contender.away.clear()
        # Accepting alone fills the queue of plain DRF with tasks, which its workers would run while
        # others are measured.
        self.stage.purge(contender.instance)
        if isinstance(contender, Plain):
            self.stage.sql(
                contender.database,
                "UPDATE plain_media SET state = 'READY', reason_code_id = NULL",
                "VACUUM ANALYZE plain_media, plain_stateinterval",
            )
            return
        self.stage.sql(
            contender.database,
            "DELETE FROM media_mediarequest WHERE outcome IS NULL",
            "UPDATE media_media SET state = 'READY', reason_code_id = NULL, routable = true",
            "VACUUM ANALYZE media_media, media_mediarequest, media_stateinterval,"
            " notifications_notification",
        )

    # --- measuring ------------------------------------------------------------------------------

    def alternate(
        self, what: str, contenders: Sequence[T], one_round: Callable[[T], None], rounds: int = 0
    ) -> None:
        """Run the rounds in turns: A B A B …"""
        rounds = rounds or self.rounds
        for number in range(1, rounds + 1):
            self.say(f"{what}: round {number} of {rounds}")
            for contender in contenders:
                one_round(contender)

    @contextmanager
    def beating(self, *contenders: Contender) -> Iterator[None]:
        """Stand in for the workers: stamp the heartbeats and clear the bells."""
        with _Pulse(self.stage.services.redis, [one.instance for one in contenders]):
            yield


class _Pulse:
    """Writes what a worker writes into Redis while it works, without working."""

    BATCH_SECONDS = 0.05
    """Time from one batch to the next under load; each batch clears the bell."""

    def __init__(self, url: str, instances: Sequence[str]) -> None:
        self._redis = Redis.from_url(url)
        self._instances = instances
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._stamp()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._redis.close()

    def _beat(self) -> None:
        stamped = time.monotonic()
        while not self._ended.wait(self.BATCH_SECONDS):
            for instance in self._instances:
                self._redis.delete(f"{instance}:1:bell", f"{instance}:ceiling:bell")
                self._redis.delete(f"{instance}:ceiling:rung")
            if time.monotonic() - stamped > 1:
                self._stamp()
                stamped = time.monotonic()

    def _stamp(self) -> None:
        # Django's cache pickles floats.
        now = time.time()
        for instance in self._instances:
            for part in ("worker", "notifications", "sweep"):
                self._redis.set(f"{instance}:1:heartbeat:{part}", pickle.dumps(now))
                self._redis.set(f"{instance}:1:stamp:{part}", pickle.dumps(str(now)), ex=5)
            self._redis.set(f"{instance}:ceiling:heartbeat", now)
