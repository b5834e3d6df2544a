"""Beat calls for tasks by time that passes, whatever the time of day."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from kombu import Connection

from finesse import beat, broker, running
from finesse.celery import app
from tests.faults.proxy import Network
from tests.kit.installation import free_port

HOUR = 3600.0


class Clocks:
    """The monotonic clock and the time of day, in a test's hands."""

    def __init__(self) -> None:
        self.passed, self.of_day = 100.0, 1_800_000_000.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr("time.monotonic", lambda: made.passed)
    monkeypatch.setattr("time.time", lambda: made.of_day)
    return made


class Calls(beat.MonotonicScheduler):
    """Notes the calls, instead of sending them."""

    def __init__(self, app: Celery) -> None:
        self.names: list[str] = []
        super().__init__(app)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        self.names.append(entry.name)

    @property
    def producer(self) -> None:
        return None


def run(calls: Calls, clocks: Clocks, seconds: float) -> list[str]:
    """As beat does: tick, and sleep for as long as that says. What was called for."""
    calls.names.clear()
    end = clocks.passed + seconds
    while clocks.passed < end:
        clocks.passed += max(calls.tick(), 0.001)
    return [*calls.names]


def test_all_is_called_for_at_the_start_and_then_at_its_interval(clocks: Clocks) -> None:
    calls = Calls(app)
    calls.tick()
    assert sorted(calls.names) == sorted(app.conf.beat_schedule)
    called = run(calls, clocks, 2 * HOUR)
    assert 14390 <= called.count("sweep") <= 14401
    assert called.count("deactivated") in {119, 120}
    assert called.count("prune") in {1, 2}


@pytest.mark.parametrize("jump", [-HOUR, -5, 5, HOUR])
def test_a_time_of_day_that_is_set_is_not_noticed(clocks: Clocks, jump: float) -> None:
    calls = Calls(app)
    run(calls, clocks, 10)
    clocks.of_day += jump
    assert 19 <= run(calls, clocks, 10).count("sweep") <= 21


def test_what_was_missed_is_called_for_once(clocks: Clocks) -> None:
    calls = Calls(app)
    run(calls, clocks, 10)
    clocks.passed += HOUR
    assert 19 <= run(calls, clocks, 10).count("sweep") <= 22


def test_no_message_carries_a_time_of_day_at_which_it_expires() -> None:
    """It would be beat's, and be compared with the worker's."""
    for entry in Calls(app).schedule.values():
        assert "expires" not in entry.options
        assert entry.options["expiration"] > 0


@pytest.fixture
def network() -> Iterator[Network]:
    """Between this process and the broker."""
    made = Network(os.environ["CELERY_BROKER_URL"])
    yield made
    made.end()


def test_beat_shows_life_while_it_waits_for_a_broker_that_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class SeenError(Exception):
        pass

    shown = 0

    def show_life() -> None:
        nonlocal shown
        shown += 1
        # Once for the tick, then between attempts, which go on without end.
        if shown == 3:
            raise SeenError

    monkeypatch.setattr(running, "show_life", show_life)
    monkeypatch.setattr(broker, "RETRY_SECONDS", 0.05)
    calling = Celery("calling", amqp="finesse.broker:AMQP", set_as_current=False)
    calling.conf.update(
        broker_write_url=f"amqp://guest@127.0.0.1:{free_port()}//",
        broker_connection_max_retries=None,
        beat_schedule={"sweep": {"task": "media.tasks.sweep", "schedule": 0.5}},
    )
    with pytest.raises(SeenError):
        beat.MonotonicScheduler(calling).tick()


@pytest.mark.skipif("CELERY_BROKER_URL" not in os.environ, reason="a broker in memory is this one")
def test_a_call_into_a_connection_whose_other_end_is_gone_is_made_by_a_new_one(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat, "CONFIRMATION_SECONDS", 60)
    queue = f"finesse-tests-beat-{uuid.uuid4().hex}"
    calling = Celery("calling", amqp="finesse.broker:AMQP", set_as_current=False)
    calling.conf.update(
        # The environment overrides `broker_url`.
        broker_write_url=network.url,
        task_default_queue=queue,
        beat_schedule={"sweep": {"task": "media.tasks.sweep", "schedule": 0.5}},
        broker_transport_options=app.conf.broker_transport_options,
    )
    scheduler = beat.MonotonicScheduler(calling)
    with Connection(os.environ["CELERY_BROKER_URL"]) as direct, scheduler.connection:

        def waiting() -> int:
            return int(direct.default_channel.queue_declare(queue, passive=True).message_count)

        scheduler.tick()
        try:
            assert waiting() == 1
            network.forget()
            # Long enough that a slow broker's own confirmation is no second call.
            monkeypatch.setattr(beat, "CONFIRMATION_SECONDS", 5)
            scheduler.schedule["sweep"].options = {}
            scheduler.apply_entry(scheduler.schedule["sweep"], producer=scheduler.producer)
            assert waiting() == 2
        finally:
            direct.default_channel.queue_delete(queue)
