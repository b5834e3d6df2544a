"""The data folder: for the service's own user alone, also where it was made by an older version."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from finesse.private_files import make_folder_private
from tests.kit.installation import ON_SERVICES, ROOT, Installation

PUBLIC = {"authority.pem", "server.pem"}


def modes(folder: Path) -> dict[str, int]:
    paths = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode)
        for path in paths
        if not path.is_symlink()
    }


def for_others(folder: Path) -> list[str]:
    """What others could read, were they let into the folder, but for certificates."""
    found = modes(folder)
    return sorted(
        name for name, mode in found.items() if mode & 0o077 and Path(name).name not in PUBLIC
    )


def manage(folder: Path, umask: int, *arguments: str, **changes: str) -> None:
    """As a shell with this umask runs it."""
    ours = ("FINESSE_", "COVERAGE_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept |= {"FINESSE_DATA_DIR": str(folder), "FINESSE_DEMO": "1", **changes}
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=kept, check=True, umask=umask, stdout=subprocess.PIPE)


embedded = pytest.mark.skipif(ON_SERVICES, reason="the embedded default keeps data in files")


@embedded
@pytest.mark.parametrize(("umask", "demo"), [(0o000, "1"), (0o022, "0"), (0o277, "1")])
def test_a_new_database_is_private_whatever_the_umask(
    tmp_path: Path, umask: int, demo: str
) -> None:
    folder = tmp_path / "made" / "data"
    manage(folder, umask, "migrate", "--verbosity", "0", FINESSE_DEMO=demo, SECRET_KEY="x")
    assert modes(folder)["."] == modes(folder.parent)["."] == 0o700
    (database,) = folder.glob("*.sqlite3")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert for_others(folder) == []


@embedded
def test_a_running_service_keeps_everything_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(0o755)
    folder.chmod(0o755)
    installation = Installation(folder, xmpp=shutil.which("prosody") is not None)
    before = os.umask(0o022)
    try:
        installation.start()
        assert {path.suffix for path in folder.iterdir()} >= {".sqlite3-wal", ".sqlite3-shm"}
        # The log is the tests' own.
        assert for_others(folder) in ([], ["server.log"])
        assert modes(folder)["."] == 0o700
    finally:
        os.umask(before)
        installation.end()


@embedded
def test_what_an_older_version_has_left_open_is_closed_at_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "xmpp" / "data").mkdir(parents=True)
    (folder / "tls").mkdir()
    outside = tmp_path / "outside"
    outside.touch(0o644)
    for name in (
        *("demo.sqlite3", "demo.sqlite3-wal", "demo.sqlite3-shm", "finesse.sqlite3"),
        *("demo-secret-key", "xmpp/secret", "xmpp/data/x.dat", "tls/authority.key", "backup.sql"),
        *("tls/authority.pem", "tls/server.pem"),
    ):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    for path in (folder, folder / "xmpp", folder / "xmpp" / "data", folder / "tls"):
        path.chmod(0o755)
    (folder / "link").symlink_to(outside)
    manage(folder, 0o022, "check", SECRET_KEY="x")
    assert for_others(folder) == []
    assert modes(folder)["tls/authority.pem"] == 0o644
    # What a link points to is somebody else's.
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_a_folder_that_is_shared_is_left_alone_and_told(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    for folder in (shared, home):
        before = modes(folder)
        make_folder_private(folder)
        assert modes(folder) == before
        settings.FINESSE_DATA_DIR = folder
        assert "finesse.W004" in [message.id for message in run_checks()]
    # Closed as a whole by its owner: nobody else enters it.
    home.chmod(0o700)
    assert "finesse.W004" not in [message.id for message in run_checks()]
    own = tmp_path / "own"
    own.mkdir()
    make_folder_private(own)
    settings.FINESSE_DATA_DIR = own
    assert "finesse.W004" not in [message.id for message in run_checks()]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    make_folder_private(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_what_belongs_to_somebody_else_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch(0o644)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    make_folder_private(tmp_path)


@embedded
def test_a_database_of_the_operators_own_place_is_made_privately(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere.sqlite3"
    manage(
        tmp_path / "data",
        *(0, "migrate", "--verbosity", "0"),
        FINESSE_DEMO="0",
        SECRET_KEY="x",
        DATABASE_URL=f"sqlite:///{place}",
    )
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@embedded
def test_the_tests_database_is_one_that_is_made_so(db: None) -> None:
    assert connection.settings_dict["ENGINE"] == "finesse.db.sqlite3"
