"""Runs of the prepared process, as the tests ask for them."""

import itertools
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from tests.crash_points import journal
from tests.kit import database

ROOT = Path(__file__).resolve().parents[2]
START = "import django; django.setup(); from tests.crash_points.prepared import main; main()"


@dataclass
class Prepared:
    """The prepared process, and what the database holds before each scenario."""

    process: "subprocess.Popen[str]"
    folder: Path
    before: database.Rows
    _numbers: "itertools.count[int]"

    def world(self, scenario: str, broken: str = "nothing") -> "World":
        """Before the scenario, with nothing left of another one."""
        database.empty_and_write(self.before)
        path = self.folder / f"journal-{next(self._numbers)}"
        return World(self, scenario, broken, path, uuid.uuid4().hex)


@dataclass
class World:
    """A database, its services, and the clients, which outlive the processes of the service."""

    prepared: Prepared
    scenario: str
    broken: str
    path: Path
    cache: str

    def run(
        self, *, fatal: int | None = None, is_recovery: bool = False, every: bool = False
    ) -> bool:
        """Let a process run; True if it was killed at the point, False if it came to its end."""
        asked = {
            "scenario": self.scenario,
            "broken": self.broken,
            "journal": str(self.path),
            "cache": self.cache,
            "fatal": fatal,
            "every": every,
            "is_recovery": is_recovery,
        }
        process = self.prepared.process
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(asked), file=process.stdin, flush=True)
        code = int(process.stdout.readline())
        if code not in {0, -signal.SIGKILL}:
            raise AssertionError((self.prepared.folder / "errors").read_text())
        return code != 0

    def end(self) -> dict[str, Any]:
        """What the last process has noted of itself: its `boundaries`, those at the points that it
        has `passed`, and what the hooks have not seen (`unseen`)."""
        end = self.seen()[-1]
        assert end["kind"] == "end"
        return end

    def seen(self) -> list[dict[str, Any]]:
        """What clients and other servers have seen, in order."""
        return journal.read(self.path)


@contextmanager
def prepared(folder: Path) -> Iterator[Prepared]:
    environment = {
        **os.environ,
        "DATABASE_URL": _address_of_database(),
        "FINESSE_DATA_DIR": str(folder),
        "FINESSE_INSTANCE": settings.FINESSE_INSTANCE,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    # By which the name of the instance would be another one.
    environment.pop("PYTEST_XDIST_WORKER", None)
    before = database.rows()
    with (
        (folder / "errors").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", START],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise AssertionError((folder / "errors").read_text())
        yield Prepared(process, folder, before, itertools.count())


def _address_of_database() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
