"""`manage.py report_sums`: compare the sums of reports with the history, or make them
again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media.reports import making
from media.reports.checking import differences


class Command(BaseCommand):
    help = (
        "The sums that reports of many agents read: compare them with the history, or make "
        "them again from it. The service may run on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--check",
            action="store_true",
            help="change nothing: say where the sums and the history differ",
        )
        what.add_argument(
            "--rebuild",
            action="store_true",
            help="forget all sums and make them again; reports read the history meanwhile",
        )

    def handle(self, *args: Any, check: bool, rebuild: bool, **options: Any) -> None:
        if check:
            self._check()
            return
        making.start_again()
        while making.make_some():
            pass
        self.stdout.write("Made again.")

    def _check(self) -> None:
        found = 0
        for line in differences():
            found += 1
            self.stdout.write(line)
        if found:
            raise CommandError(
                "The sums differ from the history. Make them again with: manage.py report_sums "
                "--rebuild"
            )
        self.stdout.write("The sums are those of the history.")
