"""Transactions that compute for long between two statements."""

from django.db import connection


def let_think(seconds: int) -> None:
    """For the rest of this transaction; SQLite has no such bound.

    The bound of the settings is 2 s, so that a process that stands still loses its locks. With
    a longer one others wait so much longer for them.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
                [f"{seconds}s"],
            )
