"""The product's settings, with what only tests want: a secret, fast passwords, a place for data."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "for-tests-only")
os.environ.setdefault("FINESSE_DATA_DIR", tempfile.mkdtemp(prefix="finesse-tests-"))
if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes that test side by side must not receive each other's messages.
    instance = os.environ.get("FINESSE_INSTANCE", "finesse-tests")
    os.environ["FINESSE_INSTANCE"] = f"{instance}-{os.environ['PYTEST_XDIST_WORKER']}"

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in service: in memory, threads would share one connection's locks. It need not
    # outlive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": FINESSE_DATA_DIR / "tests.sqlite3"}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # noqa: F405
else:
    # Two runs at once must not meet in one database.
    DATABASES["default"]["TEST"] = {"NAME": f"test_{FINESSE_INSTANCE}"}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405

if "options" in DATABASES["default"]["OPTIONS"]:  # noqa: F405
    # A test may think for long within its transaction.
    DATABASES["default"]["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"  # noqa: F405

# What one of these processes counts is not the others', though they share the folder of data.
if "FINESSE_RUN_DIR" not in os.environ:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    FINESSE_RUN_DIR = FINESSE_DATA_DIR / f"run-{worker}"  # noqa: F405

# Threads come and go in the tests; what they leave open would keep the database from being dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405

# A machine that is busy with tests may stand still for longer than a service may. Tests of the
# heartbeat set what they need.
FINESSE_HEARTBEAT_SECONDS = 60.0
if REDIS_URL:  # noqa: F405
    CACHES["default"]["OPTIONS"]["socket_timeout"] = 30  # noqa: F405
# A second without a client signs no user out, except in the tests of that.
FINESSE_PRESENCE_SECONDS = 0
# pytest shows and hides the log, and has closed its stream when a process would sum repeats up.
LOGGING["handlers"]["console"]["filters"] = []  # noqa: F405
