"""The modules of the agent's own page that need no page: their tests are in JavaScript."""

import subprocess
from pathlib import Path

import pytest

from tests.kit.programs import READS_MODULES, needed_node

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    "module", ["later", "limits", "requests", "rules", "sentences", "time_left"]
)
def test_the_own_pages_module_passes_its_own_tests(module: str) -> None:
    node, tests = needed_node(oldest=READS_MODULES), HERE / f"{module}.test.mjs"
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", tests], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
