"""The package, installed into an empty environment and run from there, without a checkout."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.dependencies import licences
from tests.dependencies.audit import PIP_AUDIT
from tests.dependencies.pinned import canonical, pinned
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation
from tests.kit.whole_way import assert_a_put_ends_in_its_notification


class Installed(Installation):
    """The command `finesse-media` of an environment of its own, with nothing but a home folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.command = folder / "environment" / "bin" / "finesse-media"
        self.data = folder / "home" / ".local" / "share" / "finesse-media"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "FINESSE_DEMO": "1",
            "PYTHONUNBUFFERED": "1",
        }
        (folder / "home").mkdir()

    def install(self) -> None:
        environment = self.folder / "environment"
        self.run(sys.executable, "-m", "build", "--no-isolation", "--outdir", self.folder, ROOT)
        self.run(sys.executable, "-m", "venv", environment)
        pip = [environment / "bin" / "pip", "install", "--quiet", "--no-compile"]
        # As pip finds packages by itself: its settings are a part of the machine.
        self.run(*pip, "--require-hashes", "--requirement", ROOT / "requirements.txt")
        self.run(*pip, "--no-deps", *self.folder.glob("*.whl"))

    def run(self, *command: str | Path) -> str:
        own = {**os.environ} if command[0] != self.command else self.environment
        done = subprocess.run(
            command, cwd=self.folder, env=own, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        self._start("server", [str(self.command), "run", "--port", str(self.port)])
        self.await_status(200)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if ON_SERVICES:
        pytest.skip("installed the same, and tried with the embedded default")
    made = Installed(tmp_path_factory.mktemp("package"))
    try:
        made.install()
        made.run(made.command, "migrate", "--verbosity", "0")
        made.run(made.command, "demo")
        made.start()
        yield made
    finally:
        made.end()


def test_a_put_ends_in_its_notification(installed: Installed) -> None:
    assert_a_put_ends_in_its_notification(installed.url)


@pytest.mark.parametrize(
    "path",
    ["/login/", "/static/board/viewer.css", "/static/admin/css/base.css", "/finesse/docs/"],
)
def test_pages_and_their_files_are_part_of_it(installed: Installed, path: str) -> None:
    answer = httpx.get(installed.url + path, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200


def test_its_data_is_in_the_home_folder_and_nobody_elses(installed: Installed) -> None:
    assert (installed.data / "demo.sqlite3").exists()
    assert installed.data.stat().st_mode & 0o077 == 0


def test_the_configuration_of_prosody_names_modules_that_are_part_of_it(
    installed: Installed,
) -> None:
    code = "from finesse.xmpp.prosody.configuration import MODULES; print(MODULES)"
    shown = installed.run(installed.command, "shell", "--no-imports", "-c", code)
    assert (Path(shown.strip()) / "mod_finesse_sessions.lua").exists()


@pytest.mark.skipif(not PIP_AUDIT.exists(), reason="make .venv/audit/installed")
def test_the_bill_of_materials_names_every_package_with_version_and_licence(
    installed: Installed,
) -> None:
    printed = installed.run(
        PIP_AUDIT.with_name("cyclonedx-py"),
        *("environment", "--pyproject", ROOT / "pyproject.toml", "--gather-license-texts"),
        installed.folder / "environment" / "bin" / "python",
    )
    listed = {canonical(one["name"]): one for one in json.loads(printed)["components"]}
    # Not for this system, or for older releases of Python.
    expected = {
        name: version for name, version in pinned().items() if name not in licences.ELSEWHERE
    }
    assert {name: listed[name]["version"] for name in expected} == expected
    assert [name for name in expected if not listed[name].get("licenses")] == []
