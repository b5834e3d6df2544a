"""The command line: `manage.py` in a checkout, `finesse-media` where the package is installed."""

import os
import select
import sys

from finesse.production.environment import end_if_incomplete


def main() -> None:
    """Run the command that the arguments name. Ends the process if the settings cannot work."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")
    if sys.argv[1:3] == ["production", "start"]:
        # Before the settings, which would name the first thing only.
        end_if_incomplete(os.environ)
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        django.setup()
    except ImproperlyConfigured as error:
        # It is written for people, and a traceback would hide it.
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        # The reader, such as `head`, has had enough. Python would complain of the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)


def _nobody_reads() -> bool:
    """Whether it is standard output whose other end is gone."""
    poll = select.poll()
    poll.register(1, 0)
    return bool(poll.poll(0))


if __name__ == "__main__":
    main()
