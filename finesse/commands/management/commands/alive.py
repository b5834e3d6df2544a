"""`manage.py alive worker`: do the processes of this role on this machine go on?"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from finesse import running

LONGEST_SILENCE_SECONDS = 30.0
"""Processes show life every second, and beat each half. Tasks of a worker with one process alone
(`-P solo`) keep it from that for as long as they take."""


class Command(BaseCommand):
    help = (
        "Say of each worker, beat or xmpp-component of this machine when it last showed life. "
        "Ends with 1 if one is silent for too long, or if none runs. For supervisors and probes; "
        "servers answer /livez."
    )
    # Whether the database is there has nothing to do with it.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", choices=["worker", "beat", "xmpp-component"])
        parser.add_argument("--pid", type=int, help="of this process alone")
        parser.add_argument(
            "--longest-silence",
            type=float,
            default=LONGEST_SILENCE_SECONDS,
            metavar="SECONDS",
            help=f"(default: {LONGEST_SILENCE_SECONDS:.0f})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        role, pid, longest = options["role"], options["pid"], options["longest_silence"]
        silences = {
            one.pid: one.silent_seconds
            for one in running.processes()
            if one.role == role and pid in (None, one.pid) and one.silent_seconds is not None
        }
        if not silences:
            self.stdout.write(f"no {role} runs on this machine with this FINESSE_RUN_DIR")
            sys.exit(1)
        for process, seconds in silences.items():
            self.stdout.write(f"{role} {process}: silent for {seconds:.1f} s")
        if max(silences.values()) > longest:
            sys.exit(1)
