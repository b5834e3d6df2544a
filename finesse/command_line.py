"""The command line: `manage.py` in a checkout, `finesse-media` where the package is installed."""

import os
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
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
