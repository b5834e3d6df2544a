"""docs/operations.md, followed as a new operator would: its own commands and files, line by line.

Names, passwords, ports and folders are replaced by those of the test, since this machine has other
work; what that leaves out is listed below with its reason.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from finesse.tls.own_certificate import make_or_renew
from tests.kit.installation import ON_SERVICES, ROOT, administration, free_port

PAGE = (ROOT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
NAME = f"page_{secrets.token_hex(4)}"

RUN_ELSEWHERE = {
    "make production": "tests/production/test_production.py",
    "make run DEMO=0": "tests/installation/test_set_ups.py",
    ".venv/bin/python manage.py production status": "tests/production/test_production.py",
    ".venv/bin/python manage.py production restart": "tests/production/test_production.py",
    ".venv/bin/python manage.py production stop": "tests/production/test_production.py",
    "python3 -m venv": "tests/installation/test_package.py",
    "/opt/finesse-media/bin/pip": "tests/installation/test_package.py",
    "nginx -t": "tests/production/test_files.py",
}
NOT_RUN = {
    "apt-get install": "it would change the machine; tests/services installs the same",
    "rabbitmqctl delete_user": "the tests themselves are this guest",
    "useradd": "it would change the machine",
    "install -d": "it would change the machine",
    "cp ": "it would change the machine",
    "systemctl": "no systemd runs where the tests do; systemd-analyze reads the units",
}
RUN_HERE = (
    "rabbitmqctl add_vhost",
    "rabbitmqctl add_user",
    "rabbitmqctl set_permissions",
    "set -a; . /etc/finesse-media/environment",
    "make production ACTION=check",
    ".venv/bin/python manage.py createsuperuser",
    ".venv/bin/python manage.py deploy_files",
    ".venv/bin/python manage.py migrate",
    "pg_dump",
    "pg_restore",
    "createdb",
    'DATABASE_URL="$DRILL_URL" .venv/bin/python manage.py migrate --check',
)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


def commands() -> list[str]:
    """Each command of the page; a line that ends with a backslash goes on."""
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def those(beginning: str) -> list[str]:
    found = [one for one in commands() if one.startswith(beginning)]
    assert found, beginning
    return found


def test_each_command_of_the_page_is_run_or_has_a_reason() -> None:
    known = (*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN)
    assert [one for one in commands() if not one.startswith(known)] == []
    assert [one for one in known if not any(line.startswith(one) for line in commands())] == []
    assert [path for path in RUN_ELSEWHERE.values() if not (ROOT / path).exists()] == []


# --- followed -------------------------------------------------------------------------------------

ROLE_PASSWORD = "database-password"


@contextmanager
def redis_server(folder: Path, *configuration: str) -> Iterator[None]:
    program = shutil.which("redis-server")
    assert program
    file = folder / "redis.conf"
    file.write_text("\n".join((*configuration, f"dir {folder}", "daemonize no")))
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([program, str(file)], stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def ping(address: str) -> None:
    with redis.Redis.from_url(address) as client:
        client.ping()


def until_answered(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ping(address)
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """By the page's SQL; the address of its database."""
    if not ON_SERVICES:
        pytest.skip("it is about PostgreSQL, Redis and RabbitMQ")
    (text,) = blocks("sql")
    place = urlsplit(os.environ["DATABASE_URL"])
    with administration() as connection:
        for statement in text.replace("finesse", NAME).split(";"):
            if statement.strip():
                connection.execute(statement)
    try:
        host = f"{place.hostname}:{place.port or 5432}"
        yield f"postgres://{NAME}:{ROLE_PASSWORD}@{host}/{NAME}"
    finally:
        with administration() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
            connection.execute(f'DROP DATABASE IF EXISTS "drill_{NAME}" WITH (FORCE)')
            connection.execute(f'DROP ROLE IF EXISTS "{NAME}"')


@pytest.fixture(scope="module")
def rabbitmq(postgresql: str) -> Iterator[str]:
    """By the page's commands where they may be given here; else the tests' own broker."""
    broker = os.environ["CELERY_BROKER_URL"]
    if not shutil.which("rabbitmqctl") or os.geteuid() != 0:
        yield broker
        return
    for line in those("rabbitmqctl add_") + those("rabbitmqctl set_"):
        shell(line.replace("finesse", NAME), {**os.environ})
    try:
        place = urlsplit(broker)
        yield f"amqp://{NAME}:broker-password@{place.hostname}:{place.port or 5672}/{NAME}"
    finally:
        shell(f"rabbitmqctl delete_user {NAME}; rabbitmqctl delete_vhost {NAME}", {**os.environ})


@pytest.fixture(scope="module")
def environment(
    postgresql: str, rabbitmq: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """By the page's file; Redis runs by its lines."""
    folder = tmp_path_factory.mktemp("page")
    port = free_port()
    (text,) = blocks("ini")
    password, *_ = (one for one in blocks("conf") if "requirepass" in one)
    replaced = {
        "DATABASE_URL": postgresql,
        "CELERY_BROKER_URL": rabbitmq,
        "REDIS_URL": f"redis://:redis-password@127.0.0.1:{port}/0",
        "FINESSE_DATA_DIR": str(folder / "data"),
    }
    lines = [line.partition("=") for line in text.strip().splitlines()]
    assert set(replaced) < {name for name, _, _ in lines}
    file = folder / "environment"
    file.write_text("".join(f"{name}={replaced.get(name, value)}\n" for name, _, value in lines))
    ours = ("FINESSE_", "DATABASE_URL", "REDIS_URL", "CELERY_", "SECRET_KEY", "DJANGO_", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with redis_server(folder, password, f"port {port}", "bind 127.0.0.1"):
        until_answered(replaced["REDIS_URL"])
        yield {**kept, "ENVIRONMENT": str(file), "FOLDER": str(folder)}


def shell(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(environment: dict[str, str], *lines: str) -> str:
    """In a shell with the page's environment, by this Python."""
    (load,) = those("set -a")
    script = "\n".join((load, "export FINESSE_WEB_PORT=0 FINESSE_SOCKETS_PORT=0", *lines))
    script = script.replace("/etc/finesse-media/environment", environment["ENVIRONMENT"])
    script = script.replace("/etc/finesse-media/deploy", f"{environment['FOLDER']}/deploy")
    script = script.replace(".venv/bin/python", sys.executable)
    make = f"make BIN={Path(sys.executable).parent} --assume-old=.venv/installed "
    return shell(script.replace("make ", make), environment)


def test_the_way_of_a_new_operator(environment: dict[str, str]) -> None:
    (check,) = those("make production ACTION=check")
    assert "no issues" in follow(environment, check)
    (migrate,) = those(".venv/bin/python manage.py migrate")
    (superuser,) = those(".venv/bin/python manage.py createsuperuser")
    asked = " --no-input --login_id root --first_name Root"
    follow(environment, migrate, f"DJANGO_SUPERUSER_PASSWORD=a-long-one {superuser}{asked}")
    for line in those(".venv/bin/python manage.py deploy_files"):
        follow(environment, line)
    made = (Path(environment["FOLDER"]) / "deploy" / "nginx" / "finesse.conf").read_text()
    assert "server 10.0.0.12:8001;" in made
    assert "server_name finesse.example.com;" in made


def test_the_drill(environment: dict[str, str], postgresql: str) -> None:
    """After the way above: the backup of its database is restored into another one."""
    (dump,) = those("pg_dump")
    (create,) = those("createdb")
    restore_here, restore_drill = those("pg_restore")
    (look,) = those('DATABASE_URL="$DRILL_URL"')
    place = urlsplit(os.environ["DATABASE_URL"])
    superuser = (
        f"PGHOST={place.hostname} PGPORT={place.port or 5432} PGUSER={place.username} "
        f"PGPASSWORD={place.password or ''} "
    )
    drill = postgresql.rpartition("/")[0] + f"/drill_{NAME}"
    backup = f"{environment['FOLDER']}/backup"
    named = [
        line.replace("--file=backup", f"--file={backup}")
        .replace('" backup', f'" {backup}')
        .replace("owner=finesse drill", f"owner={NAME} drill_{NAME}")
        for line in (dump, f"{superuser}{create}", restore_drill, look, restore_here)
    ]
    follow(environment, f"export DRILL_URL={drill}", *named)
    for address in (postgresql, drill):
        with psycopg.connect(address) as connection:
            found = connection.execute("SELECT login_id FROM users_user").fetchall()
        assert found == [("root",)]


def test_redis_speaks_tls_by_the_lines_of_the_page(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("redis-server is not installed")
    (text,) = (one for one in blocks("conf") if "tls-port" in one)
    pair = make_or_renew(tmp_path, ["localhost"])
    port = free_port()
    for name, path in (
        ("/etc/redis/server.pem", pair.certificate),
        ("/etc/redis/server.key", pair.key),
        ("/etc/redis/authority.pem", tmp_path / "authority.pem"),
    ):
        text = text.replace(name, str(path))
    password, *_ = (one for one in blocks("conf") if "requirepass" in one)
    text = text.replace("tls-port 6379", f"tls-port {port}")
    (address,) = set(re.findall(r"REDIS_URL=(rediss://\S+?)`", PAGE))
    address = address.replace("10.0.0.13:6379", f"localhost:{port}").replace(
        "/etc/finesse-media/authority.pem", str(tmp_path / "authority.pem")
    )
    with redis_server(tmp_path, text, password, "bind 127.0.0.1"):
        until_answered(address)
        with pytest.raises(redis.ConnectionError):
            ping(f"redis://:redis-password@127.0.0.1:{port}/0")
        with pytest.raises(redis.AuthenticationError):
            ping(address.replace("redis-password", "another"))
