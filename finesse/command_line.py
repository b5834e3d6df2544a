"""The command line: `manage.py` in a checkout, `finesse-media` where the package is installed."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name. Ends the process if the settings cannot work."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        django.setup()
    except ImproperlyConfigured as error:
        # It is written for people, and a traceback would hide it.
        sys.exit(str(error))
    execute_from_command_line(sys.argv)
