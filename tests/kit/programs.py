"""Programs beside Python that some tests need: Chromium, Prosody, Node."""

import os
import re
import shutil
import subprocess
from typing import NoReturn

import pytest

OLDEST_NODE = (20, 0)


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it where nothing may be left out (REQUIRE_SERVICES=1)."""
    required = os.environ.get("REQUIRE_SERVICES") == "1"
    (pytest.fail if required else pytest.skip)(f"{reason}; on Debian, 'make services' installs it")


def needed(program: str) -> str:
    """The path of this program; gives up when it is not installed."""
    return shutil.which(program) or give_up(f"There is no {program}")


def needed_node(oldest: tuple[int, int] = OLDEST_NODE) -> str:
    """The path of Node; gives up when it is older than this version."""
    program = needed("node")
    text = subprocess.check_output([program, "--version"], text=True).strip()
    version = re.match(r"v(\d+)\.(\d+)", text)
    if version is None or (int(version[1]), int(version[2])) < oldest:
        give_up(f"Node {text} is too old")
    return program


READS_MODULES = (20, 19)
"""The first version of Node that takes a .js file with `import` and `export` for a module."""
