"""Files of the data folder: private from the first moment, and never there in part."""

import os
from pathlib import Path

import pytest

from finesse import private_files


def test_a_secret_is_made_once_and_is_long(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    made = private_files.read_or_make_secret(path)
    assert len(made) >= 50
    assert private_files.read_or_make_secret(path) == made
    assert private_files.read_or_make_secret(tmp_path / "another") != made


@pytest.mark.parametrize("mode", [private_files.PRIVATE_FILE, private_files.PUBLIC_FILE])
def test_a_file_has_exactly_the_given_mode(tmp_path: Path, mode: int) -> None:
    private_files.replace_file(tmp_path / "file", "text", mode)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_writer_that_is_killed_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            private_files.read_or_make_secret(path)
        assert not path.exists()
    made = private_files.read_or_make_secret(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            private_files.replace_file(path, "another")
    assert path.read_text() == made
