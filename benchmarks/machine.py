"""CPU time and memory of processes, read from /proc, and a description of this machine."""

import contextlib
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
Read = Callable[[], dict[int, float]]
"""Reads the CPU seconds of a role's processes, by process id."""


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended; 0 if there is none."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS
    return 0.0


def family(pid: int) -> list[int]:
    """The ids of a process and its descendants, which any of its threads may have started."""
    children: list[str] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                children += (thread / "children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def of_family(pid: int) -> dict[int, float]:
    return {one: cpu_of(one) for one in family(pid)}


def of_backends(database: str) -> dict[int, float]:
    """PostgreSQL's processes that serve this database, where they run on this machine."""
    return {
        pid: cpu_of(pid)
        for pid, line in _command_lines()
        if line.startswith("postgres:") and f" {database} " in line
    }


def of_program(name: str) -> dict[int, float]:
    """All processes of this program on the machine."""
    found = {}
    for pid, _ in _command_lines():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found[pid] = cpu_of(pid)
    return found


def memory(pid: int) -> int:
    """Bytes (PSS) of a process and its descendants; shared pages count by their share."""
    found = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            if match := re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE):
                found += int(match[1]) * 1024
    return found


class Meter:
    """The CPU seconds of each role since this meter was made."""

    def __init__(self, roles: Mapping[str, Read]) -> None:
        self._roles = roles
        self._before = {role: read() for role, read in roles.items()}

    def read(self) -> dict[str, float]:
        found = {}
        for role, read in self._roles.items():
            now, before = read(), self._before[role]
            found[role] = sum(spent - before.get(pid, 0.0) for pid, spent in now.items())
        return found


def describe() -> dict[str, str]:
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((one.split(":")[1].strip() for one in lines if "model name" in one), "")
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{gigabytes:.0f} GiB",
        "python": platform.python_version(),
        "system": platform.release(),
    }


def _command_lines() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                )
                yield int(entry.name), line
