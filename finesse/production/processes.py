"""**The table of processes.** Everything in deploy/ is made of it; `production start` runs it.

A command stands after the name of a Python interpreter. `{instance}`, `{number}` and `{host}` in it
are filled in by the set-up that runs it.
"""

from dataclasses import dataclass
from enum import StrEnum

from finesse.db import off_loop
from finesse.users import sign_in_threads

WEB_THREADS = 16
"""Requests that one WSGI process serves at once. A connection that sends nothing keeps a thread for
five seconds, so there are more threads than connections that a client may leave idle; and more than
FINESSE_PASSWORD_PLACES."""
SIGN_IN_CONNECTIONS = sign_in_threads.THREADS
"""Of a sockets process. (It serves REST, too, by up to 32 threads more, where no proxy sends that
to the web processes.)"""
SOCKETS_CONNECTIONS = 1
"""The sockets of a process share a thread for their statements."""
BACKGROUND_CONNECTIONS = off_loop.BACKGROUND_THREADS
"""A sockets process publishes by itself that the service is out of service."""
WORKER_CHILDREN = 2
WATCH_CONNECTIONS = 1
"""finesse.service_watch has a connection of its own in each server process."""


class Service(StrEnum):
    """What a process connects to."""

    POSTGRESQL = "PostgreSQL"
    REDIS = "Redis"
    RABBITMQ = "RabbitMQ"
    PROSODY = "Prosody"


STORES = (Service.POSTGRESQL, Service.REDIS, Service.RABBITMQ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One kind of process, of which a machine runs `number` or as many as `variable` says."""

    name: str
    does: str
    command: tuple[str, ...]
    variable: str
    """The setting that says how many of them a machine runs."""
    number: int | None = None
    """How many by default. None: one for each core."""
    port: int = 0
    """Where it listens; 0: nowhere."""
    port_variable: str = ""
    socket_option: tuple[str, ...] = ()
    """How it is told to take an open socket, whose descriptor is `{descriptor}`."""
    address_option: tuple[str, ...] = ()
    """How it is told to listen at `{address}` and `{port}` itself."""
    needs: tuple[Service, ...] = STORES
    connections: int
    """To PostgreSQL, at most, of one process."""
    memory_mib: int
    """Of one process with its children, as measured (docs/operations.md); limits are twice that."""
    descriptors: int = 1024
    """Files and sockets that it may have to have open at once."""
    stop_signal: str = "TERM"
    grace_seconds: int
    """From the signal until the process is killed."""
    start_seconds: int = 5
    """A process that has lived for so long counts as started."""
    is_optional: bool = False
    """Only where FINESSE_XMPP_SECRET is set."""
    takes_turns: bool = False
    """One on a machine works, and the others stand by. They agree by a file in its FINESSE_RUN_DIR,
    so of those in containers there is one."""


WEB = Process(
    name="web",
    does="REST API, administration and pages (WSGI)",
    command=(
        *("-m", "gunicorn", "finesse.wsgi:application", "--worker-class", "gthread"),
        *("--workers", "1", "--threads", str(WEB_THREADS), "--graceful-timeout", "25"),
        "--no-control-socket",
    ),
    variable="FINESSE_WEB_PROCESSES",
    port=8000,
    port_variable="FINESSE_WEB_PORT",
    socket_option=("--bind", "fd://{descriptor}"),
    address_option=("--bind", "{address}:{port}"),
    connections=WEB_THREADS + WATCH_CONNECTIONS,
    memory_mib=160,
    # gunicorn lets 1,000 connections wait, and ends if it may open no more.
    descriptors=4096,
    grace_seconds=30,
)
SOCKETS = Process(
    name="sockets",
    does="sockets of viewers and XMPP clients, BOSH (ASGI)",
    command=(
        *("-m", "uvicorn", "finesse.asgi:application", "--lifespan", "off", "--no-access-log"),
        *("--http", "finesse.server.protocols:HTTPProtocol"),
        *("--ws", "finesse.server.protocols:WebSocketProtocol"),
        *("--ws-max-size", "65536", "--ws-per-message-deflate", "false"),
        *("--no-server-header", "--timeout-graceful-shutdown", "10"),
    ),
    variable="FINESSE_SOCKETS_PROCESSES",
    port=8001,
    port_variable="FINESSE_SOCKETS_PORT",
    socket_option=("--fd", "{descriptor}"),
    address_option=("--host", "{address}", "--port", "{port}"),
    connections=SIGN_IN_CONNECTIONS
    + SOCKETS_CONNECTIONS
    + BACKGROUND_CONNECTIONS
    + WATCH_CONNECTIONS,
    memory_mib=100,
    # One for each client.
    descriptors=65536,
    grace_seconds=15,
)
WORKER = Process(
    name="worker",
    does="applies accepted requests and publishes what changed (Celery)",
    command=(
        *("-m", "celery", "-A", "finesse", "worker", "--concurrency", str(WORKER_CHILDREN)),
        *("--hostname", "{instance}-worker-{number}@{host}"),
    ),
    variable="FINESSE_WORKER_PROCESSES",
    # So that one goes on while the other is restarted.
    number=2,
    connections=WORKER_CHILDREN,
    memory_mib=200,
    grace_seconds=30,
)
BEAT = Process(
    name="beat",
    does="calls for a sweep every half second (Celery)",
    command=("-m", "celery", "-A", "finesse", "beat"),
    variable="FINESSE_BEAT_PROCESSES",
    number=2,
    needs=(Service.RABBITMQ,),
    connections=0,
    memory_mib=100,
    grace_seconds=10,
)
COMPONENT = Process(
    name="component",
    does="sends notifications to the clients of Prosody (XMPP)",
    command=("-m", "finesse.command_line", "xmpp_component"),
    variable="FINESSE_COMPONENT_PROCESSES",
    # So that one goes on while the other is restarted.
    number=2,
    needs=(*STORES, Service.PROSODY),
    connections=2,
    memory_mib=100,
    grace_seconds=10,
    is_optional=True,
    takes_turns=True,
)

# In the order of a rolling restart: what applies requests comes before what accepts them.
PROCESSES = (WORKER, BEAT, COMPONENT, SOCKETS, WEB)


def connections_needed(numbers: dict[str, int]) -> int:
    """Connections to PostgreSQL, at most, of so many processes of each name."""
    return sum(one.connections * numbers.get(one.name, 0) for one in PROCESSES)
