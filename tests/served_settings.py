"""The product's settings for the processes that tests start, but passwords are quick to check."""

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# On real services the demo is refused, and so is its password. These tests sign in with it.
FINESSE_DEMO_PASSWORD = "finesse" if FINESSE_DEMO else "refused"  # noqa: F405
