"""What the database holds before a test: read once, written back as rows; and its sessions.

Migrations, the receivers of `post_migrate` and the signals of the cast's models run once a session.
To run them for each test took longer than most tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection, transaction

Rows = dict[str, list[tuple[Any, ...]]]
"""By table, every column in its order."""

CONSTANT = {"auth_permission", "django_content_type", "django_migrations"}
"""Tables that no test writes to."""


@dataclass
class Kept:
    installed: Rows
    """Of every table, as an installation has them after its migrations."""
    cast: Rows
    """Of each table that the cast changes, with what `installed` has of it."""
    codes: Rows
    """Of each table that the reason codes change, with what the cast's database has of it."""


def keep(create_cast: Callable[[], None], create_codes: Callable[[], None]) -> Kept:
    """Rows without the cast, with it, and with the reason codes. The database is left as it was.

    PostgreSQL's sequences go on after their ids, so that nobody else gets one of these.
    """
    with transaction.atomic():
        installed = rows()
        create_cast()
        with_cast = rows()
        create_codes()
        with_codes = rows()
        transaction.set_rollback(True)
    return Kept(installed, _changed(installed, with_cast), _changed(with_cast, with_codes))


def _changed(before: Rows, after: Rows) -> Rows:
    return {table: now for table, now in after.items() if now != before[table]}


def empty_and_write(rows: Rows) -> None:
    """All of these tables, in one transaction: until its end references may lead nowhere."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _filled(cursor, list(rows)):
            cursor.execute(f"DELETE FROM {_quoted(table)}")
        for table, its_rows in rows.items():
            if its_rows:
                _insert(cursor, table, its_rows)


def rows() -> Rows:
    """All tables that tests write to, as they are."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.django_table_names()) - CONSTANT):
            cursor.execute(f"SELECT * FROM {_quoted(table)}")
            found[table] = cursor.fetchall()
    return found


def _filled(cursor: Any, tables: list[str]) -> list[str]:
    one = "SELECT '{0}' WHERE EXISTS (SELECT 1 FROM {1})".format
    cursor.execute(" UNION ALL ".join(one(table, _quoted(table)) for table in tables))
    return [table for (table,) in cursor.fetchall()]


def _insert(cursor: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    one = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    values = ", ".join([one] * len(rows))
    cursor.execute(
        f"INSERT INTO {_quoted(table)} VALUES {values}", [value for row in rows for value in row]
    )


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)


def session(name: str) -> "psycopg.Connection[Any]":
    """Another session of the test's PostgreSQL, in a transaction."""
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        application_name=name,
    )
