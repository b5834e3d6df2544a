"""What this process is called where an operator looks at many: in PostgreSQL's list of sessions."""

import os
import socket
import sys
from collections.abc import Sequence

LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of an application's name."""


def role_of(arguments: Sequence[str]) -> str:
    """The work of a process with this command line: server, worker, beat, or the command's name."""
    program, *rest = arguments or [""]
    name = os.path.basename(program)
    if "celery" in program:
        # Options may stand before the command: celery -A finesse worker.
        return next((word for word in rest if word in {"worker", "beat"}), "celery")
    if name in {"manage.py", "finesse-media", "command_line.py"}:
        return rest[0] if rest else "command"
    if "uvicorn" in program or "gunicorn" in program:
        return "server"
    return name or "python"


def process_name() -> str:
    """The role, the machine and the process id, as `finesse worker@host 4711`.

    Asked for at each connection: some servers fork after the settings were read.
    """
    name = f"finesse {role_of(sys.argv)}@{socket.gethostname()}"
    pid = f" {os.getpid()}"
    return name.encode()[: LONGEST_NAME - len(pid)].decode(errors="ignore") + pid
