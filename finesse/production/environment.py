"""The environment of `production`: what has to be there, and what the processes get.

Without Django, whose settings end the program at the first thing that is missing.
"""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from finesse import readiness
from finesse.production.processes import PROCESSES, Process

MUST_BE_SET = {
    "SECRET_KEY": "a long random text, the same on each machine. For one: "
    "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "ALLOWED_HOSTS": "the host names by which clients reach the service, separated by commas",
    "DATABASE_URL": "PostgreSQL, as postgres://user:password@host/name",
    "REDIS_URL": "Redis, as redis://:password@host:6379/0, with TLS rediss://…",
    "CELERY_BROKER_URL": "RabbitMQ, as amqp://user:password@host:5672/vhost",
}


def missing(environment: Mapping[str, str]) -> list[str]:
    """What has to be set and is not, a line for each."""
    lines = [
        f"{name} is not set: {meaning}."
        for name, meaning in MUST_BE_SET.items()
        if not environment.get(name, "").strip()
    ]
    if environment.get("FINESSE_DEMO", "").lower() in {"1", "true", "yes", "on", "y", "t"}:
        lines.append("FINESSE_DEMO is set: the demo's passwords are public. Take it out.")
    return lines


def end_if_incomplete(environment: Mapping[str, str]) -> None:
    """End the program with a list of what is missing. Nothing was started or changed."""
    if lines := missing(environment):
        sys.exit("\n".join(["This cannot start yet:", *(f"  {line}" for line in lines)]))


def number_of(process: Process, environment: Mapping[str, str]) -> int:
    """How many of these this machine runs. Raises ValueError."""
    if process.is_optional and not environment.get("FINESSE_XMPP_SECRET"):
        return 0
    default = os.cpu_count() or 1 if process.number is None else process.number
    return int(environment.get(process.variable) or default)


def numbers(environment: Mapping[str, str]) -> dict[str, int]:
    """The same for all, by name. Raises ValueError."""
    return {process.name: number_of(process, environment) for process in PROCESSES}


def port_of(process: Process, environment: Mapping[str, str]) -> int:
    """Where it listens here; 0: nowhere. Raises ValueError."""
    if not process.port_variable:
        return 0
    return int(environment.get(process.port_variable) or process.port)


def of_supervisor(given: Mapping[str, str], home: Path, folder: Path) -> dict[str, str]:
    """What supervisord and all processes get. Raises ValueError for what is no number.

    - `home`: the folder of the packages, in which the processes run.
    - `folder`: where supervisord has its socket and the logs.
    """
    made = {
        **given,
        "FINESSE_PYTHON": sys.executable,
        "FINESSE_HOME": str(home),
        "FINESSE_PRODUCTION_DIR": str(folder),
        readiness.FOLDER_VARIABLE: str(folder / "ready"),
        "FINESSE_INSTANCE": given.get("FINESSE_INSTANCE") or "finesse",
        "FINESSE_MACHINE": socket.gethostname(),
        "FINESSE_LISTEN": given.get("FINESSE_LISTEN") or "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": given.get("DJANGO_SETTINGS_MODULE") or "finesse.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if proxies := given.get("FINESSE_TRUSTED_PROXIES"):
        # uvicorn and gunicorn ask for the same in a variable of theirs.
        made.setdefault("FORWARDED_ALLOW_IPS", proxies)
    for process in PROCESSES:
        made[process.variable] = str(number_of(process, given))
        if process.port_variable:
            made[process.port_variable] = str(port_of(process, given))
    return made
