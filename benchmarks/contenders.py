"""The programs that are compared: ours as in production and embedded, the ceiling, and plain DRF.
All serve the same users, each on a database of its own."""

import http.client
import os
import sys
import time
from pathlib import Path

from benchmarks.load import http as http_request
from benchmarks.machine import Read, of_backends, of_family, of_program
from benchmarks.people import MRD, NOT_READY, READY, basic
from benchmarks.stage import PACKAGES, START_TIMEOUT_SECONDS, Process, Stage, await_port, free_port
from benchmarks.tap import Tap

PYTHON = sys.executable
WORKERS = 2
"""Processes that serve HTTP: one for each core of the machine that the figures are from."""
THREADS = "4"
"""Threads of a process that serves WSGI: while one waits for the disk, another works. Accepted PUTs
with one and two: 1,382 and 1,692 a second; later with two, three, four: 1,565, 1,545, 1,541."""
EMBEDDED = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
"""Variables that the default set-up runs without."""


class Contender:
    """One program with its database; roles are started and ended by name."""

    name = ""
    socket_path = "/ws/notifications/"
    numbers_per_position = 1
    """A frame's `position`, divided by this, is the notification's position in the log."""

    def __init__(self, stage: Stage, database: str, label: str = "") -> None:
        self.stage = stage
        self.database = database
        self.instance = stage.queue(f"{stage.name}_{label or type(self).__name__.lower()}")
        self.roles: dict[str, Process] = {}
        self.port = free_port()
        self.socket_port = free_port()
        self.away: set[str] = set()
        """Agents whose last request was NOT_READY. Their next one is READY, so each is a change."""
        self._database_url = stage.url_of(database)
        self._redis_url = stage.services.redis

    def through(self, database: Tap | None = None, redis: Tap | None = None) -> None:
        """Connect what is started from now on through these taps, or directly without them."""
        url = self.stage.url_of(self.database)
        self._database_url = database.through(url) if database else url
        url = self.stage.services.redis
        self._redis_url = redis.through(url) if redis else url

    def environment(self) -> dict[str, str]:
        """The environment of all roles, without settings of the shell that runs the benchmarks."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FINESSE_", "PYTHON", "COVERAGE_")) and name not in EMBEDDED
        }
        return kept | {
            "DATABASE_URL": self._database_url,
            "REDIS_URL": self._redis_url,
            "CELERY_BROKER_URL": self.stage.services.broker,
            "FINESSE_INSTANCE": self.instance,
            "FINESSE_DATA_DIR": str(self.stage.folder / self.instance),
            "SECRET_KEY": "for-the-benchmarks-only",
            "LOG_LEVEL": "WARNING",
            # Under load the five minutes of the default would end for all users within one second,
            # which does not happen on an ordinary day.
            "FINESSE_CREDENTIAL_CACHE_SECONDS": "3600",
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        }

    def commands(self) -> dict[str, list[str]]:
        """The command of each role."""
        raise NotImplementedError

    def settings_of(self, role: str) -> dict[str, str]:
        """Environment variables of this role alone."""
        return {}

    def start(self, *roles: str) -> None:
        """Start the roles that do not run yet, and wait until the servers among them listen."""
        commands, environment = self.commands(), self.environment()
        new = [role for role in roles if role not in self.roles]
        for role in new:
            name = f"{self.instance}-{role}"
            of_role = environment | self.settings_of(role)
            self.roles[role] = self.stage.start(name, commands[role], of_role)
        if "http" in new:
            await_port(self.roles["http"], self.port)
        if "sockets" in new:
            await_port(self.roles["sockets"], self.socket_port)

    def end(self, *roles: str) -> None:
        for role in roles:
            self.stage.end(self.roles.pop(role))

    def await_service(self, login_id: str) -> None:
        """Wait until a request of this user is answered with 200, which needs a worker or
        `Bench.beating`. Raises RuntimeError."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while (status := self.status(login_id)) != 200:
            if time.monotonic() > deadline:
                logs = "\n".join(process.tail() for process in self.roles.values())
                raise RuntimeError(f"{self.name} answers {status}\n{logs}")
            time.sleep(0.05)

    def status(self, login_id: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                "GET", self.media(login_id), headers={"Authorization": basic(login_id)}
            )
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def media(self, login_id: str) -> str:
        return f"/finesse/api/User/{login_id}/Media/{MRD}"

    def change(self, login_id: str) -> bytes:
        """The PUT that sets this agent NOT_READY, or READY if it is so already."""
        self.away ^= {login_id}
        body = NOT_READY if login_id in self.away else READY
        return http_request("PUT", self.media(login_id), login_id, body, "r-1")

    def meters(self) -> dict[str, Read]:
        """Meters of the CPU seconds of its processes and of the services, by role."""
        found: dict[str, Read] = {
            role: lambda pid=process.pid: of_family(pid)  # type: ignore[misc]
            for role, process in self.roles.items()
        }
        return found | {
            "PostgreSQL": lambda: of_backends(self.database),
            "Redis": lambda: of_program("redis-server"),
            "RabbitMQ": lambda: of_program("beam.smp"),
        }


def granian(interface: str, application: str, port: int, workers: int = WORKERS) -> list[str]:
    return [
        *(PYTHON, "-m", "granian", "--interface", interface, "--port", str(port), "--no-ws"),
        *("--workers", str(workers), "--log-level", "warning", application),
    ]


def program(name: str, *arguments: str) -> list[str]:
    return [PYTHON, "-m", "benchmarks.program", name, *arguments]


def with_packages(environment: dict[str, str]) -> dict[str, str]:
    """The environment, with the packages that only the benchmarks need."""
    return environment | {"PYTHONPATH": str(PACKAGES)}


class Ours(Contender):
    """In production: REST on WSGI workers of four threads, sockets on uvicorn, worker, beat."""

    name = "ours"
    numbers_per_position = 100_000

    def __init__(
        self,
        stage: Stage,
        database: str,
        label: str = "",
        *,
        settings: str = "benchmarks.settings",
        workers: int = WORKERS,
        more: dict[str, str] | None = None,
    ) -> None:
        super().__init__(stage, database, label)
        self._settings = settings
        self._workers = workers
        self._more = more or {}

    def environment(self) -> dict[str, str]:
        chosen = {"DJANGO_SETTINGS_MODULE": self._settings}
        return with_packages(super().environment() | chosen | self._more)

    def settings_of(self, role: str) -> dict[str, str]:
        # As docs/operations.md has it for a WSGI process of four threads.
        return {"FINESSE_PASSWORD_PLACES": "3"} if role == "http" else {}

    def commands(self) -> dict[str, list[str]]:
        celery = [PYTHON, "-m", "celery", "-A", "finesse"]
        wsgi = granian("wsgi", "finesse.wsgi:application", self.port, self._workers)
        return {
            "http": [*wsgi, "--blocking-threads", THREADS],
            "sockets": [
                *(PYTHON, "-m", "uvicorn", "finesse.asgi:application", "--no-access-log"),
                *("--http", "finesse.server.protocols:HTTPProtocol"),
                *("--ws", "finesse.server.protocols:WebSocketProtocol"),
                *("--ws-max-size", "65536", "--ws-per-message-deflate", "false"),
                *("--loop", "asyncio", "--port", str(self.socket_port)),
            ],
            "worker": [
                *(*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"),
                *("-n", f"{self.instance}@localhost"),
            ],
            "beat": [*celery, "beat", "--loglevel", "WARNING"],
        }

    def drain(self, *arguments: str) -> list[str]:
        return program("writer", *arguments)


class Ceiling(Contender):
    """benchmarks/ceiling.py."""

    name = "ceiling"

    def environment(self) -> dict[str, str]:
        return with_packages(super().environment())

    def commands(self) -> dict[str, list[str]]:
        program = [PYTHON, "-m", "benchmarks.ceiling"]
        return {
            "http": [*granian("asginl", "benchmarks.ceiling:http", self.port), "--loop", "uvloop"],
            "sockets": [*program, "sockets", str(self.socket_port)],
            "worker": [*program, "apply"],
            "beat": [PYTHON, "-c", "import time; time.sleep(1e6)"],
        }

    def drain(self, *arguments: str) -> list[str]:
        return [PYTHON, "-m", "benchmarks.ceiling", "drain", *arguments]


class Plain(Contender):
    """benchmarks/plain: DRF with the ORM, a Celery task for each request, group_send."""

    name = "plain DRF"

    def environment(self) -> dict[str, str]:
        chosen = {"DJANGO_SETTINGS_MODULE": "benchmarks.plain.settings"}
        return with_packages(super().environment() | chosen)

    def commands(self) -> dict[str, list[str]]:
        wsgi = granian("wsgi", "benchmarks.plain.wsgi:application", self.port)
        return {
            # More threads make it slower: it never waits, so they only take the lock in turns.
            "http": [*wsgi, "--blocking-threads", "1"],
            "sockets": [
                *(PYTHON, "-m", "uvicorn", "benchmarks.plain.asgi:application"),
                *("--no-access-log", "--loop", "asyncio", "--port", str(self.socket_port)),
                # After a minute of overload its own pings would time out, and it would end clients.
                *("--ws-ping-interval", "3600"),
            ],
            "worker": [
                *(PYTHON, "-m", "celery", "-A", "benchmarks.plain", "worker"),
                *("--concurrency", "2", "--loglevel", "WARNING"),
                *("-n", f"{self.instance}@localhost"),
            ],
            "beat": [PYTHON, "-c", "import time; time.sleep(1e6)"],
        }


class Embedded(Contender):
    """`manage.py run`, as `make run` does: one process, SQLite."""

    name = "ours, default"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "", "embedded")
        self.socket_port = self.port
        self.folder = Path(stage.folder / self.instance)

    def environment(self) -> dict[str, str]:
        found = super().environment()
        return {name: value for name, value in found.items() if name not in EMBEDDED}

    def commands(self) -> dict[str, list[str]]:
        return {"http": [PYTHON, "manage.py", "run", "--port", str(self.port)]}

    def prepare(self, agents: int) -> None:
        manage(self, "migrate", "--verbosity", "0")
        populate(self, agents)


def manage(contender: Contender, *arguments: str) -> None:
    contender.stage.run([PYTHON, "manage.py", *arguments], contender.environment())


def populate(contender: Contender, agents: int, rows: int = 0) -> None:
    command = program("populate", f"--agents={agents}", f"--rows={rows}")
    contender.stage.run(command, contender.environment())
