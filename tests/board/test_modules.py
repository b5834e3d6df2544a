"""The viewer's modules that need no page: their tests are in JavaScript, beside this file."""

import subprocess
from pathlib import Path

import pytest

from tests.kit.programs import READS_MODULES, needed_node

HERE = Path(__file__).parent
MODULES = sorted(one.name.removesuffix(".test.mjs") for one in HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("module", MODULES)
def test_the_viewers_module_passes_its_own_tests(module: str) -> None:
    node, tests = needed_node(oldest=READS_MODULES), HERE / f"{module}.test.mjs"
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", tests], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
