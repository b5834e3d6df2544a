"""`make faults`: break a set-up of its own, round after round, and print the table of what it cost.

Exits with 1 if a promise was broken.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

RESULTS = Path("test-results")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of each fault")
    parser.add_argument("--only", action="append", default=[], help="faults with this in the name")
    parser.add_argument("--short", action="store_true", help="one round of the short form's faults")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="begin no round later")
    parser.add_argument("--list", action="store_true", help="name the faults")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table is kept")
    parser.add_argument("--add", action="store_true", help="to the rounds that are kept there")
    options = parser.parse_args()
    # Ended from outside it ends what it has started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The kit asks the settings whether there are services; the addresses are made later.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ["DATABASE_URL"] = "postgres://127.0.0.1:0/none"
    os.environ["REDIS_URL"] = "redis://127.0.0.1:0/0"
    os.environ.pop("FINESSE_DEMO", None)

    import django

    django.setup()
    from tests.faults import run

    return run.run(options)


if __name__ == "__main__":
    sys.exit(main())
