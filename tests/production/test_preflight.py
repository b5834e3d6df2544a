"""What `production start` says when something is missing: plain words, and no password."""

import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from finesse.production import preflight
from finesse.production.environment import missing, numbers, of_supervisor
from finesse.production.processes import PROCESSES, connections_needed
from tests.kit.installation import ON_SERVICES, ROOT, free_port

SET = {
    "SECRET_KEY": "x",
    "ALLOWED_HOSTS": "x",
    "DATABASE_URL": "x",
    "REDIS_URL": "x",
    "CELERY_BROKER_URL": "x",
}


def test_all_that_is_missing_is_said_at_once() -> None:
    said = missing({"SECRET_KEY": " ", "REDIS_URL": "redis://127.0.0.1/0"})
    assert [line.partition(" ")[0] for line in said] == [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
    ]
    assert missing(SET) == []


@pytest.mark.parametrize("value", ["1", "true", "on"])
def test_the_demo_is_not_production(value: str) -> None:
    (line,) = missing({**SET, "FINESSE_DEMO": value})
    assert "passwords are public" in line


def test_the_command_says_it_before_it_needs_any_setting() -> None:
    done = start(PATH=os.environ["PATH"], REDIS_URL="redis://127.0.0.1/0")
    assert done.returncode == 1
    assert done.stdout == ""
    first, *lines = done.stderr.splitlines()
    assert first == "This cannot start yet:"
    assert len(lines) == 4
    assert "python3 -c 'import secrets" in lines[0]


def test_what_cannot_be_reached_is_said_at_once_and_no_password_with_it(tmp_path: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        closed = free_port()
        done = start(
            PATH=os.environ["PATH"],
            SECRET_KEY="short",
            ALLOWED_HOSTS="localhost",
            DATABASE_URL=f"postgres://finesse:hush@127.0.0.1:{closed}/finesse",
            REDIS_URL=f"redis://:hush@127.0.0.1:{closed}/0",
            CELERY_BROKER_URL=f"amqp://finesse:hush@127.0.0.1:{closed}/finesse",
            FINESSE_WEB_PORT=str(port),
            FINESSE_DATA_DIR=str(tmp_path),
        )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 6
    for line, beginning in zip(
        lines[1:],
        (
            "SECRET_KEY has 5 characters",
            f"PostgreSQL at 127.0.0.1:{closed} cannot be used as finesse",
            f"Redis at 127.0.0.1:{closed} cannot be used (REDIS_URL)",
            f"The broker at 127.0.0.1:{closed} cannot be used (CELERY_BROKER_URL)",
            f"127.0.0.1:{port} cannot be listened on (FINESSE_WEB_PORT)",
        ),
        strict=True,
    ):
        assert line.strip().startswith(beginning)
    assert "hush" not in done.stdout + done.stderr
    assert not (tmp_path / "production").exists()


def start(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "production", "start"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(not ON_SERVICES, reason="it is about PostgreSQL")
def test_more_processes_than_postgresql_has_connections_for_are_refused(settings: Any) -> None:
    settings.SECRET_KEY = "x" * 50
    given = {"FINESSE_WEB_PROCESSES": "5000", "FINESSE_WEB_PORT": str(free_port())}
    given["FINESSE_SOCKETS_PORT"] = str(free_port())
    (line,) = preflight.problems(given)
    assert "FINESSE_WEB_PROCESSES" in line
    assert str(connections_needed(numbers(given))) in line
    assert preflight.problems({**given, "FINESSE_WEB_PROCESSES": "1"}) == []


def test_a_number_that_is_none_is_said(settings: Any) -> None:
    settings.SECRET_KEY = "x" * 50
    said = preflight.problems({"FINESSE_WEB_PROCESSES": "two"})
    assert any("FINESSE_…_PROCESSES" in line and "'two'" in line for line in said)


def test_components_run_where_there_is_an_xmpp_server() -> None:
    assert numbers({})["component"] == 0
    assert numbers({"FINESSE_XMPP_SECRET": "x"})["component"] == 2


def test_the_defaults_fit_a_postgresql_as_it_is_delivered_on_two_cores() -> None:
    given = {"FINESSE_WEB_PROCESSES": "2", "FINESSE_SOCKETS_PROCESSES": "2"}
    assert connections_needed(numbers(given)) == 78
    assert {one.name for one in PROCESSES} == set(numbers(given))


def test_servers_believe_the_proxies_that_the_service_believes(tmp_path: Any) -> None:
    made = of_supervisor({"FINESSE_TRUSTED_PROXIES": "10.0.0.0/24"}, ROOT, tmp_path)
    assert made["FORWARDED_ALLOW_IPS"] == "10.0.0.0/24"
    assert "FORWARDED_ALLOW_IPS" not in of_supervisor({}, ROOT, tmp_path)
