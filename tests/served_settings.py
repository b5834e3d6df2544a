"""The product's settings for the processes that tests start, but passwords are quick to check."""

import os
import sys

# As with requirements.txt alone. Where the tests' own requirements are installed, too, Django REST
# framework and slixmpp import these for nothing: a tenth of what starting a process takes.
sys.modules["pygments"] = None
if "FINESSE_TRACES" not in os.environ:
    # OpenTelemetry's exporter sends by it.
    sys.modules["requests"] = None

from finesse.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# These are little on a busy machine.
FINESSE_SHUTDOWN_SECONDS = 15
FINESSE_UNDO_SECONDS = 120
# On real services the demo is refused, and so is its password. These tests sign in with it.
FINESSE_DEMO_PASSWORD = "finesse" if FINESSE_DEMO else "refused"  # noqa: F405
