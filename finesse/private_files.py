"""Files in the data folder: there whole or not at all, whoever is killed meanwhile."""

import os
import secrets
from pathlib import Path

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, content: str | bytes, mode: int = PRIVATE) -> None:
    """At no moment is it readable for more than `mode` says. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def secret(path: Path) -> str:
    """A long random text, made once. Raises OSError."""
    if not path.exists():
        write(path, secrets.token_urlsafe(50))
    return path.read_text()
