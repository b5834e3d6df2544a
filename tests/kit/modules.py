"""Tests in JavaScript of modules that need no page, run by Node."""

import subprocess
from pathlib import Path

from tests.kit.installation import TIMEOUT_SECONDS
from tests.kit.programs import READS_MODULES, needed_node

SERVED = Path(__file__).with_name("served.mjs")


def tested(folder: Path) -> list[str]:
    """The modules that have tests in this folder."""
    return sorted(one.name.removesuffix(".test.mjs") for one in folder.glob("*.test.mjs"))


def passes(folder: Path, module: str) -> None:
    """Raises AssertionError with what Node has printed."""
    node, tests = needed_node(oldest=READS_MODULES), folder / f"{module}.test.mjs"
    done = subprocess.run(
        [node, "--import", SERVED, "--test", "--test-reporter=spec", tests],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
