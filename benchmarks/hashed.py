"""The product's settings with another way to keep passwords, for what signing in costs."""

import os

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = [os.environ["BENCHMARKS_HASHER"]]
