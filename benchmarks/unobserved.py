"""The benchmarks' settings, without metrics and without the subject of log lines. The difference
shows what observing costs."""

from benchmarks.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.unobserved_app.Unobserved"]  # noqa: F405
