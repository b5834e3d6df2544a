"""A rolling restart: one process after another, none before the one before it works."""

import time
from collections.abc import Callable

from finesse.production.processes import PROCESSES
from finesse.production.supervision import POLL_SECONDS, RUNNING, State, Supervisor

READY_SECONDS = 120
"""Within this time a process that was restarted has to work."""
ORDER = [process.name for process in PROCESSES]
ENDED = {"STOPPED", "EXITED", "FATAL"}


class NotReadyError(Exception):
    """A process does not work after its restart; those that follow were left as they were."""


def restart_all(supervisor: Supervisor, say: Callable[[str], object]) -> None:
    """Restart what the supervisor runs, in the order of the table, and `say` each step.

    Raises NotReadyError, NotRunningError.
    """
    for process in sorted(supervisor.states(), key=_place):
        began = time.monotonic()
        if process.state not in ENDED:
            supervisor.stop(process)
        supervisor.start(process)
        _await(supervisor, process)
        say(f"{process.name} was restarted in {time.monotonic() - began:.1f} s")


def _place(process: State) -> tuple[int, str]:
    return ORDER.index(process.kind), process.name


def _await(supervisor: Supervisor, process: State) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not works(supervisor, process.name):
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"{process.name} does not work {READY_SECONDS} s after its restart. Its log says "
                "why. The processes after it were left as they were."
            )
        time.sleep(POLL_SECONDS)


def works(supervisor: Supervisor, name: str) -> bool:
    """Whether the process has said so, and still runs."""
    state = next(one for one in supervisor.states() if one.name == name)
    return state.works and state.state == RUNNING
