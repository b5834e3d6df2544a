"""Connections to RabbitMQ whose other end is gone."""

import os
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from celery import current_app

from finesse import broker
from tests.faults.proxy import Network

pytestmark = pytest.mark.skipif(
    "CELERY_BROKER_URL" not in os.environ, reason="a broker in memory is this one"
)


@pytest.fixture
def network() -> Iterator[Network]:
    """Between this process and the broker."""
    made = Network(os.environ["CELERY_BROKER_URL"])
    yield made
    made.end()


def test_a_connection_is_closed_though_nobody_answers(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "GOODBYE_SECONDS", 0.2)
    connection = broker.Connection(network.url)
    connection.connect()
    assert connection.default_channel.is_open
    network.forget()
    began = monotonic()
    connection.close()
    assert not connection.connected
    # It has asked, and waited for the answer.
    assert monotonic() - began >= 0.2


def test_a_worker_gives_up_a_broker_that_has_sent_nothing_for_some_looks(network: Network) -> None:
    connection = broker.Connection(network.url)
    connection.connect()
    channel = connection.default_channel
    look = broker.Silence(connection.connection)
    for _ in range(2):
        for _ in range(broker.SILENT_LOOKS - 1):
            look()
        # It answers: looks are counted anew.
        channel.basic_qos(0, 1, False)
        look()
    network.forget()
    for _ in range(broker.SILENT_LOOKS - 1):
        look()
    with pytest.raises(connection.connection_errors, match="sent nothing"):
        look()
    # It says no goodbye, for whose answer it would wait.
    assert not connection.connected
    connection.collect()
    connection.close()


def test_a_worker_exchanges_nothing_with_other_workers() -> None:
    """Events need a connection of their own, which is awaited, too, when the broker is silent."""
    worker: Any = current_app.WorkController(pool="solo")
    steps = {one.name.rpartition(".")[2] for one in worker.consumer.steps}
    assert {"Connection", "Tasks"} <= steps
    assert steps.isdisjoint({"Events", "Gossip", "Heart", "Mingle"})
