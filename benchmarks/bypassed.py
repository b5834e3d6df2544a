"""The benchmarks' settings, with an authentication of bypass.py: passwords are not checked."""

import os

from benchmarks.settings import *  # noqa: F403

REST_FRAMEWORK = {
    **REST_FRAMEWORK,  # noqa: F405
    "DEFAULT_AUTHENTICATION_CLASSES": [os.environ["BENCHMARKS_BYPASS"]],
}
