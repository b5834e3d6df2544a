"""The product's settings with another password hasher, to measure the cost of signing in."""

import os

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = [os.environ["BENCHMARKS_HASHER"]]
