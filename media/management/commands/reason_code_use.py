"""`manage.py reason_code_use`: count the use of reason codes anew from the history, or compare."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media import use_counting
from media.use_checking import differences


class Command(BaseCommand):
    help = (
        "Count the use of reason codes anew from the whole history. While it runs, pages show "
        "what it has counted so far; the service may run on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing: say where the counts and the history differ",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if check:
            self._check()
            return
        use_counting.start_again()
        while use_counting.count_new():
            pass
        self.stdout.write("Counted anew.")

    def _check(self) -> None:
        found = differences()
        for line in found:
            self.stdout.write(line)
        if found:
            raise CommandError(
                "The counts differ from the history. Count anew with: manage.py reason_code_use"
            )
        self.stdout.write("The counts are those of the history.")
