"""`manage.py production`: run the whole service on this machine, under a supervisor."""

import os
import sys
import xmlrpc.client
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from finesse.private_files import make_folder
from finesse.production import preflight
from finesse.production.environment import end_if_incomplete, of_supervisor
from finesse.production.rolling import NotReadyError, restart_all
from finesse.production.supervision import READY_FOLDER, RUNNING, NotRunningError, Supervisor, run


class Command(BaseCommand):
    help = "Start, stop or restart all processes of this machine, or say how they are."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("start", "check", "status", "stop", "restart"))
        parser.add_argument(
            "--background", action="store_true", help="with start: give the terminal back"
        )

    def handle(self, *args: Any, action: str, background: bool, **options: Any) -> None:
        self.folder = settings.FINESSE_DATA_DIR.resolve() / "production"
        self.supervisor = Supervisor(self.folder)
        try:
            if action == "start":
                self._start(in_background=background)
            elif action == "check":
                self._check()
            elif action == "status":
                self._status()
            elif action == "stop":
                self.supervisor.shut_down()
                self.stdout.write("Stopped. Everything accepted is kept and continues.")
            else:
                self._restart()
        except (NotRunningError, NotReadyError) as error:
            raise CommandError(str(error)) from None
        except xmlrpc.client.Fault as fault:
            raise CommandError(
                f"The supervisor: {fault.faultString}. The logs are in {self.folder / 'logs'}."
            ) from None

    def _start(self, *, in_background: bool) -> None:
        if self.supervisor.is_running():
            raise CommandError("It runs already. `production restart` restarts it.")
        self._check()
        call_command("migrate", verbosity=0)
        make_folder(self.folder / "logs")
        ready = self.folder / READY_FOLDER
        make_folder(ready)
        for mark in ready.iterdir():
            # Of an earlier start.
            mark.unlink()
        preflight.raise_descriptors()
        self.stdout.write(f"Starting. The logs are in {self.folder / 'logs'}.")
        self.stdout.flush()
        run(
            settings.FINESSE_FILES_DIR / "deploy" / "supervisord.conf",
            of_supervisor(os.environ, Path(settings.BASE_DIR), self.folder),
            in_background=in_background,
        )

    def _check(self) -> None:
        """End with all that is missing, before anything is started or changed."""
        end_if_incomplete(os.environ)
        if found := preflight.problems(os.environ):
            raise CommandError("\n  ".join(["This cannot start yet:", *found]))
        call_command("check", fail_level="ERROR")
        for warning in preflight.warnings():
            self.stderr.write(warning)

    def _status(self) -> None:
        states = self.supervisor.states()
        for one in states:
            state = "works" if one.works and one.state == RUNNING else one.state.lower()
            self.stdout.write(f"{one.name:<14}{state:<10}{one.description}")
        if not all(one.works and one.state == RUNNING for one in states):
            sys.exit(1)

    def _restart(self) -> None:
        restart_all(self.supervisor, self._say)
        self.stdout.write("Everything was restarted.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
