"""A broker that is away is tried again soon by those who need it, and waited for by nobody else."""

from typing import Any

import pytest
from celery import Celery
from celery.worker import WorkController
from django.conf import settings
from kombu.exceptions import OperationalError

from finesse import broker, wait_limit
from finesse.celery import app
from media.writing import bell
from tests.kit.installation import free_port

CELERYS_OWN = "celery.worker.consumer:Consumer"


def away() -> str:
    return f"amqp://guest:guest@127.0.0.1:{free_port()}//"


def test_a_worker_and_beat_try_again_at_the_same_short_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(broker, "RETRY_SECONDS", 0.01)
    connection: Any = app.connection_for_read(away())
    assert isinstance(connection, broker.Connection)
    with pytest.raises(OperationalError):
        connection.ensure_connection(lambda error, pause: pauses.append(pause), 4)
    assert pauses == [0.01] * 4


def test_who_sends_a_message_is_told_at_once_that_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept for {seconds} s")

    monkeypatch.setattr("kombu.utils.functional.sleep", sleep)
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    connection = app.connection_for_write(away()).clone(transport_options=options)
    with connection, pytest.raises(OperationalError):
        _ = connection.default_channel


def test_a_worker_does_not_look_for_others_before_it_takes_tasks() -> None:
    # As with RabbitMQ; in memory there are no others.
    other = Celery("other", broker=away(), set_as_current=False)
    steps = []
    for other.conf.worker_consumer in (CELERYS_OWN, app.conf.worker_consumer):
        worker: Any = WorkController(app=other, pool="solo", hostname="test@localhost")
        steps.append({type(step).__name__ for step in worker.consumer.steps})
    assert steps[0] - steps[1] == {"Mingle"}


@pytest.mark.parametrize(("spent", "rings"), [(0.0, 1), (1.0, 0)])
def test_the_bell_rings_only_if_the_request_can_still_wait_for_the_broker(
    monkeypatch: pytest.MonkeyPatch, spent: float, rings: int
) -> None:
    sent: list[None] = []
    monkeypatch.setattr(bell, "_send", lambda: sent.append(None))
    bell.clear()
    with wait_limit.bounded():
        wait_limit.count(spent)
        bell.ring()
    assert len(sent) == rings
    bell.clear()
