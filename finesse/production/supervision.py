"""supervisord as `production` uses it: started, asked and told what to do by its own protocol."""

import http.client
import os
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from supervisor.xmlrpc import SupervisorTransport

from finesse import readiness

SUPERVISORD = "finesse.production.supervisord"
"""The module that is run."""
ANSWER_SECONDS = 5
POLL_SECONDS = 0.1
RUNNING = "RUNNING"
READY_FOLDER = "ready"
"""Where processes say that they work, below the folder of `production`."""


class NotRunningError(Exception):
    """Nothing was started here by `production start`."""


@dataclass(frozen=True, slots=True)
class State:
    """What supervisord knows of one process."""

    name: str
    """Such as `web-0`."""
    kind: str
    """Such as `web`."""
    state: str
    """One of supervisor's: RUNNING, STARTING, BACKOFF, STOPPING, STOPPED, EXITED, FATAL."""
    pid: int
    description: str
    works: bool
    """It has said so itself since it was started."""

    @property
    def address(self) -> str:
        return f"{self.kind}:{self.name}"


def run(configuration: Path, environment: Mapping[str, str], *, in_background: bool) -> NoReturn:
    """Become supervisord. Raises OSError."""
    options = [] if in_background else ["--nodaemon"]
    command = [sys.executable, "-m", SUPERVISORD, "-c", str(configuration), *options]
    os.execve(sys.executable, command, dict(environment))


class Supervisor:
    """The supervisord whose socket is in this folder.

    Each method raises NotRunningError if there is none, and xmlrpc.client.Fault if it refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "supervisor.sock"
        self._ready = folder / READY_FOLDER

    def states(self) -> list[State]:
        """Of all processes, in the order of the configuration."""
        return [
            State(
                name=row["name"],
                kind=row["group"],
                state=row["statename"],
                pid=row["pid"],
                description=row["description"],
                works=self._has_said_so(row["name"], since=row["start"]),
            )
            for row in self._ask("getAllProcessInfo")
        ]

    def _has_said_so(self, name: str, *, since: int) -> bool:
        """Whether the mark is of this start, in seconds since 1970, and of no process before."""
        try:
            return readiness.mark(self._ready, name).stat().st_mtime >= since
        except OSError:
            return False

    def is_running(self) -> bool:
        try:
            self._ask("getState")
        except NotRunningError:
            return False
        except xmlrpc.client.Fault:
            # It is shutting down.
            return True
        return True

    def shut_down(self) -> None:
        """End all processes, then supervisord, and return when it has ended."""
        self._ask("shutdown")
        while self.is_running():
            time.sleep(POLL_SECONDS)

    def stop(self, process: State) -> None:
        """End it by its signal, and return when it has ended."""
        self._ask("stopProcess", process.address)

    def start(self, process: State) -> None:
        """Return when it counts as started, which is before it works."""
        readiness.mark(self._ready, process.name).unlink(missing_ok=True)
        self._ask("startProcess", process.address)

    def _ask(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException) as error:
            raise NotRunningError(
                f"The service does not run here: nobody answers at {self._socket}."
            ) from error
        finally:
            transport.close()
