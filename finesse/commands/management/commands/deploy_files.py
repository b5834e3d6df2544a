"""`manage.py deploy_files`: write the files of deploy/, or compare them with the table."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse.production.files import Site, made

DEFAULT = Site()


class Command(BaseCommand):
    help = (
        "Make configuration for supervisor, systemd, nginx, HAProxy and containers from the table "
        "of processes."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; end with 1 if a file differs"
        )
        parser.add_argument("--to", type=Path, help="a folder of yours, instead of deploy/")
        parser.add_argument("--host", default=DEFAULT.host, help="the name that clients use")
        parser.add_argument("--certificate", default=DEFAULT.certificate, help="for nginx, in PEM")
        parser.add_argument("--key", default=DEFAULT.key, help="for nginx, in PEM")
        parser.add_argument("--both", default=DEFAULT.both, help="both in one file, for HAProxy")
        parser.add_argument(
            "--machine",
            action="append",
            help="address of a machine with web and sockets, as the proxy sees it; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        site = Site(
            host=options["host"],
            certificate=options["certificate"],
            key=options["key"],
            both=options["both"],
            machines=tuple(options["machine"] or DEFAULT.machines),
        )
        folder = options["to"] or settings.FINESSE_FILES_DIR / "deploy"
        files = made(site)
        if options["check"]:
            differing = [name for name, text in files.items() if _read(folder / name) != text]
            if differing:
                raise CommandError(
                    "Not as the table of processes makes them: " + ", ".join(sorted(differing))
                )
            return
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.stdout.write(f"{len(files)} files are in {folder}.")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
