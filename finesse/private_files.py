"""Files of the data folder: written as a whole or not at all, even if the process is killed."""

import os
import secrets
from pathlib import Path

PRIVATE_FILE = 0o600
PUBLIC_FILE = 0o644

SECRET_BYTES = 50


def replace_file(path: Path, content: str | bytes, mode: int = PRIVATE_FILE) -> None:
    """Write a new file in the place of the old one.

    At no moment can others read more of it than `mode` says. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_or_make_secret(path: Path) -> str:
    """A long random text, made once and kept in the file. Raises OSError."""
    if not path.exists():
        replace_file(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text()
