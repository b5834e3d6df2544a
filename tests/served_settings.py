"""The product's settings for the processes that tests start, but passwords are quick to check."""

import sys

# As with requirements.txt alone. Where they are installed, as for the tests, Django REST framework and
# slixmpp import them and use them for nothing here: a fifth of what starting a process takes.
sys.modules["pygments"] = sys.modules["requests"] = None  # type: ignore[assignment]

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# On real services the demo is refused, and so is its password. These tests sign in with it.
FINESSE_DEMO_PASSWORD = "finesse" if FINESSE_DEMO else "refused"  # noqa: F405
