"""The product's settings, with what only tests want: a secret, fast passwords, a place for data."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "for-tests-only")
os.environ.setdefault("FINESSE_DATA_DIR", tempfile.mkdtemp(prefix="finesse-tests-"))

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in service: in memory, threads would share one connection's locks.
    DATABASES["default"]["TEST"] = {"NAME": FINESSE_DATA_DIR / "tests.sqlite3"}  # noqa: F405
