"""A transaction may think for longer, and the session not after it."""

import pytest
from django.db import connection, transaction

from finesse.db.thinking import let_think


@pytest.mark.django_db(transaction=True)
def test_the_bound_is_raised_for_one_transaction() -> None:
    def bound() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return str(cursor.fetchone()[0])

    with transaction.atomic():
        let_think(10)
        if connection.vendor == "postgresql":
            assert bound() == "10s"
    if connection.vendor == "postgresql":
        assert bound() != "10s"
