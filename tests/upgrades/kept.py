"""Databases of former versions: which are kept, how one is laid out anew, what is in it."""

import gzip
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from psycopg import sql

FOLDER = Path(__file__).parent / "databases"
OF_DJANGO = frozenset({"auth_permission", "django_content_type", "django_migrations"})
"""Tables that `migrate` keeps up to date by itself."""

Rows = dict[Any, dict[str, Any]]
"""The rows of a table, by primary key and column."""


def names() -> list[str]:
    """The oldest first."""
    return sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.sqlite.sql.gz"))


@contextmanager
def empty_database(folder: Path) -> Iterator[None]:
    """Django's connection leads to a new database; on SQLite it is a file in the folder."""
    former = connection.settings_dict["NAME"]
    with _made(folder) as name:
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = former
            ContentType.objects.clear_cache()


def write(name: str) -> None:
    """Write what is kept under this name into the empty database."""
    dump = gzip.decompress((FOLDER / f"{name}.{connection.vendor}.sql.gz").read_bytes()).decode()
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.executescript(f"PRAGMA foreign_keys = OFF; {dump}")
    else:
        connection.connection.execute(dump.encode())
    # What the dump has set is not for what follows.
    connection.close()


@contextmanager
def _made(folder: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield str(folder / "kept.sqlite3")
        return
    given = connection.settings_dict
    server = {name.lower(): given[name] for name in ("HOST", "PORT", "USER", "PASSWORD")}
    # Of this run alone: others have the same server.
    name = f"kept_{uuid.uuid4().hex[:12]}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    make = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(make)
        try:
            yield name
        finally:
            admin.execute(drop)


def rows() -> dict[str, Rows]:
    """All tables of ours, as they are."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted({*connection.introspection.table_names(cursor)} - OF_DJANGO):
            keys = connection.introspection.get_primary_key_columns(cursor, table) or []
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            read = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            found[table] = {tuple(row[key] for key in keys): row for row in read}
    return found


def schema() -> dict[str, str]:
    """How each table, column, index and constraint is defined."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT type || ' ' || name, sql FROM sqlite_master"
                " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            )
        else:
            cursor.execute(_SCHEMA_OF_POSTGRESQL)
        return {name: _PRINTED_ANEW.sub("", definition) for name, definition in cursor.fetchall()}


_PRINTED_ANEW = re.compile(r"::(character varying|text)(\[\])?|[()]")
"""Casts and brackets: PostgreSQL prints them in another way once it has read what it printed."""
_SCHEMA_OF_POSTGRESQL = """
SELECT 'column ' || table_name || '.' || column_name,
    concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default, is_identity)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname,
    pg_get_constraintdef(oid) || ' ' || convalidated
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'options ' || relname, array_to_string(reloptions, ', ')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
"""
