"""The benchmarks' settings, with the stock administration beside ours."""

from benchmarks.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.stock_admin"
