"""What `production start` looks at before it starts anything, in words for operators.

No message holds a password: they name hosts, ports and users only.
"""

import contextlib
import resource
import socket
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import kombu
import psycopg
import redis
from django.conf import settings

from finesse.production.environment import numbers, port_of
from finesse.production.processes import PROCESSES, SOCKETS, connections_needed

CONNECT_SECONDS = 3
SHORTEST_SECRET = 40
"""Characters of a SECRET_KEY that is worth its name."""


class ProblemError(Exception):
    """Something because of which the service cannot run; its text is for the operator."""


def problems(environment: Mapping[str, str]) -> list[str]:
    """What stands in the way, a line for each; empty if nothing does."""
    looks: list[Callable[[Mapping[str, str]], None]] = [
        _secret,
        _numbers,
        _postgresql,
        _redis,
        _broker,
        _ports,
    ]
    found = []
    for look in looks:
        try:
            look(environment)
        except ProblemError as problem:
            found.append(str(problem))
    return found


def raise_descriptors() -> None:
    """Let this process, and those that it starts, open as many files as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def warnings() -> list[str]:
    """What the service can run with, and an operator should know."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard >= SOCKETS.descriptors or hard == resource.RLIM_INFINITY:
        return []
    return [
        f"A process may open {hard} files (ulimit -Hn), so one sockets process can serve fewer "
        f"than that many clients. {SOCKETS.descriptors} is better."
    ]


def _secret(environment: Mapping[str, str]) -> None:
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        raise ProblemError(
            f"SECRET_KEY has {len(settings.SECRET_KEY)} characters and can be guessed. Take one of "
            "50: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )


def _numbers(environment: Mapping[str, str]) -> None:
    with _as_problem_if_no_number():
        numbers(environment)
        for process in PROCESSES:
            port_of(process, environment)


@contextlib.contextmanager
def _as_problem_if_no_number() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ProblemError(
            f"FINESSE_…_PROCESSES and FINESSE_…_PORT are numbers: {error}."
        ) from None


def _postgresql(environment: Mapping[str, str]) -> None:
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("postgresql"):
        raise ProblemError(
            "DATABASE_URL does not name PostgreSQL: postgres://user:password@host/name."
        )
    where = f"PostgreSQL at {database['HOST'] or 'the local socket'}:{database['PORT'] or 5432}"
    try:
        with psycopg.connect(
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            dbname=database["NAME"],
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            **{
                name: value for name, value in database["OPTIONS"].items() if name.startswith("ssl")
            },
        ) as connection:
            _room_for_connections(connection, environment)
    except psycopg.OperationalError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise ProblemError(
            f"{where} cannot be used as {database['USER'] or 'this user'} with the database "
            f"{database['NAME']} (DATABASE_URL): {reason}"
        ) from None


def _room_for_connections(
    connection: "psycopg.Connection[tuple[str, ...]]", environment: Mapping[str, str]
) -> None:
    with _as_problem_if_no_number():
        needed = connections_needed(numbers(environment))
    row = connection.execute(
        "SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int"
    ).fetchone()
    allowed = int(row[0]) if row else needed
    if needed > allowed:
        raise ProblemError(
            f"PostgreSQL allows {allowed} connections (max_connections), and the processes of this "
            f"machine may take {needed}. Allow more there, or run fewer processes "
            "(FINESSE_WEB_PROCESSES, FINESSE_SOCKETS_PROCESSES)."
        )


def _redis(environment: Mapping[str, str]) -> None:
    where = _place(settings.REDIS_URL, 6379)
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
        )
        with contextlib.closing(client):
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ProblemError(
            f"Redis at {where} cannot be used (REDIS_URL): {_reason(error)}"
        ) from None


def _broker(environment: Mapping[str, str]) -> None:
    where = _place(settings.CELERY_BROKER_URL, 5672)
    try:
        with kombu.Connection(
            settings.CELERY_BROKER_URL, connect_timeout=CONNECT_SECONDS
        ) as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
    except Exception as error:
        # Each transport has errors of its own.
        raise ProblemError(
            f"The broker at {where} cannot be used (CELERY_BROKER_URL): {_reason(error)}"
        ) from None


def _ports(environment: Mapping[str, str]) -> None:
    host = environment.get("FINESSE_LISTEN") or "127.0.0.1"
    with _as_problem_if_no_number():
        ports = {one.port_variable: port_of(one, environment) for one in PROCESSES if one.port}
    for variable, port in ports.items():
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise ProblemError(
                f"{host}:{port} cannot be listened on ({variable}): {error.strerror}. "
                "Does the service run already? `production status` says so."
            ) from None


def _place(url: str, port: int) -> str:
    parts = urlsplit(url)
    try:
        return f"{parts.hostname or 'localhost'}:{parts.port or port}"
    except ValueError:
        return parts.hostname or "a host that cannot be read"


def _reason(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.partition("\n")[0]
