"""Changes made at the same moment wait for each other in one order: none is a deadlock."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from finesse.notifications import log
from finesse.users.models import Team, User
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_layer")]


def save_user() -> None:
    user = User.objects.get(pk="alice")
    user.first_name = "Alicia"
    user.save()


def delete_team() -> None:
    Team.objects.get(name="Chat").delete()


@pytest.mark.parametrize("first", [save_user, delete_team])
def test_a_user_is_deleted_while_another_change_is_under_way(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, first: Callable[[], None]
) -> None:
    """The first is held up between its rows and its word about them, where the locks meet."""
    at_its_word, second_waits = threading.Event(), threading.Event()
    real = log.count_access_change
    errors: list[Exception] = []

    def held_up() -> None:
        if not at_its_word.is_set():
            at_its_word.set()
            # The second cannot say that it waits for a lock: give it the time to.
            second_waits.wait(0.5)
        real()

    def change(act: Callable[[], Any]) -> None:
        try:
            with transaction.atomic():
                act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(log, "count_access_change", held_up)
    one = threading.Thread(target=change, args=[first])
    one.start()
    assert at_its_word.wait(60)
    two = threading.Thread(target=change, args=[lambda: User.objects.get(pk="alice").delete()])
    two.start()
    for thread in (one, two):
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []
    assert not User.objects.filter(pk="alice").exists()
