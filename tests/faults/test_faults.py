"""The short form of `make faults`: a round of some faults, none of which may break a promise."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.stores import missing
from tests.kit.installation import ON_SERVICES, ROOT
from tests.kit.programs import give_up

pytestmark = [
    pytest.mark.skipif(not ON_SERVICES, reason="It has services of its own: once is enough"),
    pytest.mark.timeout(900),
]


def test_no_promise_is_broken_by_the_faults_of_the_short_form(tmp_path: Path) -> None:
    if absent := missing():
        give_up(f"Not installed: {', '.join(absent)}")
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--short", "--results", str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "worker: kill -9" in (tmp_path / "faults.md").read_text()
