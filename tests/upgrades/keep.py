"""Keeps databases of versions as SQL: `python -m tests.upgrades.keep` adds this version's, with
commits those of these.

Each is made by the version's own code, from the repository's history: migrations may name what has
changed since (`Cause`, the states), and its writer wrote what the next versions have to read.
PostgreSQL is the one of DATABASE_URL, or of the tests.
"""

import gzip
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

FOLDER = Path(__file__).parent / "databases"
REPOSITORY = Path(__file__).parents[2]
SERVER = os.environ.get("DATABASE_URL") or "postgres://postgres:postgres@127.0.0.1:5432/postgres"
SCRATCH = f"finesse_upgrades_{os.getpid()}"
COUNT = (
    "SELECT count(*) FROM django_migrations"
    " WHERE app IN ('media', 'users', 'notifications', 'reasoncodes', 'presence', 'service')"
)


def keep(commit: str) -> Path:
    """Both databases of a commit; returns the file of SQLite's."""
    with tempfile.TemporaryDirectory() as folder:
        tree, at = Path(folder, "tree"), Path(folder, "database")
        tree.mkdir()
        archive = subprocess.run(
            ("git", "archive", commit), cwd=REPOSITORY, check=True, capture_output=True
        )
        subprocess.run(("tar", "-x"), cwd=tree, check=True, input=archive.stdout)
        _fill(tree, f"sqlite:///{at}")
        with sqlite3.connect(at) as filled:
            name = _name(commit, filled)
            path = _write(name, "sqlite", "\n".join(filled.iterdump()))
        with _scratch() as url:
            _fill(tree, url)
            _write(name, "postgresql", _dumped(url))
    return path


def _fill(tree: Path, url: str) -> None:
    """In an environment of nothing else, so that all but the database is embedded."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    program = Path(__file__).with_name("fill.py")
    data = tree / ".data"
    data.mkdir(exist_ok=True)
    subprocess.run(
        (sys.executable, program),
        cwd=tree,
        check=True,
        env={
            **kept,
            "DATABASE_URL": url,
            "SECRET_KEY": "for-kept-databases",
            "FINESSE_DATA_DIR": str(data),
        },
    )


def _name(commit: str, filled: sqlite3.Connection) -> str:
    """By its day and how many migrations of ours it has: the files sort by age."""
    day = subprocess.run(
        ("git", "log", "-1", "--format=%cs", commit),
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (count,) = filled.execute(COUNT).fetchone()
    return f"{day}-{count:03d}-migrations"


def _write(name: str, kind: str, dump: str) -> Path:
    path = FOLDER / f"{name}.{kind}.sql.gz"
    # Without a time, so that what is the same stays the same.
    path.write_bytes(gzip.compress(dump.encode(), mtime=0))
    return path


@contextmanager
def _scratch() -> Iterator[str]:
    name = sql.Identifier(SCRATCH)
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield SERVER.rpartition("/")[0] + f"/{SCRATCH}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _dumped(url: str) -> str:
    """As statements that one connection can execute, whatever the server's release."""
    options = ("--column-inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges")
    dump = subprocess.run(
        ("pg_dump", *options, "--no-comments", url), check=True, capture_output=True, text=True
    ).stdout
    # `\restrict` is psql's; the settings are of the server that was dumped.
    return re.sub(r"^(\\.*|--.*|SET .*|SELECT pg_catalog\.set_config.*|)\n", "", dump, flags=re.M)


def main(commits: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for commit in commits or ["HEAD"]:
        print(keep(commit).name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
