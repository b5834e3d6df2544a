"""Files of the data folder: for the service's own user alone, and never there in part."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
PUBLIC_FILE = 0o644
OTHERS = 0o077
"""What group and others may do."""

PUBLIC_NAMES = frozenset({"authority.pem", "server.pem"})
"""Certificates: clients need them, and a copy of a file keeps its permissions."""

SECRET_BYTES = 50


def replace_file(path: Path, content: str | bytes, mode: int = PRIVATE_FILE) -> None:
    """Write a new file in the place of the old one.

    At no moment can others read more of it than `mode` says, whatever the umask. Raises OSError.
    """
    make_folder(path.parent)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content if isinstance(content, bytes) else content.encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_or_make_secret(path: Path) -> str:
    """A long random text, made once and kept in the file. Raises OSError."""
    if not path.exists():
        replace_file(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text()


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
    # Whatever the umask has taken away.
    folder.chmod(PRIVATE_FOLDER)


def make_empty_file(path: Path) -> None:
    """Make a file for this user alone, unless there is one. Raises OSError."""
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        os.fchmod(descriptor, PRIVATE_FILE)
        os.close(descriptor)


def make_folder_private(folder: Path) -> None:
    """Take from others what they may do in a data folder, as an older version has left it.

    A folder that is for others, too, is left alone, and so is what belongs to another user.
    """
    if not folder.is_dir() or is_shared(folder):
        return
    for path in open_to_others(folder):
        with contextlib.suppress(OSError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)


def open_to_others(folder: Path) -> Iterator[Path]:
    """The folder and what is in it, as far as group or others may read, write or enter it."""
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            mode = path.lstat().st_mode
            if mode & OTHERS and not stat.S_ISLNK(mode) and path.name not in PUBLIC_NAMES:
                yield path


def is_shared(folder: Path) -> bool:
    """Whether it is nobody's own (/tmp), or a home with more in it than the service's data."""
    whole = folder.resolve()
    # Not Path.home(), which raises where a user has none.
    home, code = Path(os.path.expanduser("~")).resolve(), Path(__file__).resolve()
    is_above = home.is_relative_to(whole) or code.is_relative_to(whole)
    return is_above or bool(folder.stat().st_mode & stat.S_ISVTX)
