"""How a request calls a worker: in a server process a thread does, for all requests at once."""

import threading

import pytest

from finesse import wait_limit
from media.writing import bell

TIMEOUT_SECONDS = 30


class SlowBell:
    """Takes the place of `bell.ring`, and takes as long as the test likes."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.threads: list[str] = []

    def __call__(self) -> None:
        self.threads.append(threading.current_thread().name)
        self.begun.release()
        assert self.may_end.acquire(timeout=TIMEOUT_SECONDS)

    def await_begin(self) -> None:
        assert self.begun.acquire(timeout=TIMEOUT_SECONDS)


@pytest.fixture
def bell_of_the_request() -> None:
    """Here a thread rings, as in a server."""


@pytest.fixture
def slow_bell(monkeypatch: pytest.MonkeyPatch) -> SlowBell:
    slow = SlowBell()
    monkeypatch.setattr(bell, "ring", slow)
    return slow


def test_requests_accepted_while_the_bell_rings_share_the_next_one_and_wait_for_none(
    slow_bell: SlowBell,
) -> None:
    with wait_limit.bounded():
        bell.ring_soon()
        slow_bell.await_begin()
        for _ in range(5):
            bell.ring_soon()
        slow_bell.may_end.release()
        slow_bell.await_begin()
    # Nothing is left to ring for, although five were accepted.
    assert not bell._wanted.is_set()
    slow_bell.may_end.release()
    assert slow_bell.threads == ["bell", "bell"]


def test_a_thread_that_serves_no_request_rings_itself(slow_bell: SlowBell) -> None:
    slow_bell.may_end.release()
    bell.ring_soon()
    assert slow_bell.threads == [threading.current_thread().name]


def test_a_process_that_has_no_threads_left_rings_all_the_same(
    slow_bell: SlowBell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: int) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(bell, "_start_ringing", refuse)
    slow_bell.may_end.release()
    with wait_limit.bounded():
        bell.ring_soon()
    assert slow_bell.threads == [threading.current_thread().name]


def test_the_bell_of_a_server_has_the_bound_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    lefts: list[float | None] = []
    rung = threading.Event()

    def ring() -> None:
        lefts.append(wait_limit.left(wait_limit.BROKER))
        rung.set()

    monkeypatch.setattr(bell, "ring", ring)
    with wait_limit.bounded():
        bell.ring_soon()
    assert rung.wait(TIMEOUT_SECONDS)
    assert lefts == [wait_limit.REQUEST_SECONDS]
