"""A wire to another namespace carries, loses what is sent while it is cut, and comes back."""

import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from finesse.db.postgresql.connection import drop_undelivered
from tests.faults.wire import NETWORK, Wire

CLOSING = "04"
"""FIN_WAIT1: something is not acknowledged yet."""


@pytest.fixture
def own_network() -> Iterator[None]:
    """A network for this thread alone.

    If a device of the machine's own came or went, Chromium would give up what it is loading in a
    test beside this one (net::ERR_NETWORK_CHANGED).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as of_the_machine:
        if libc.unshare(NETWORK) != 0:
            pytest.skip(f"No namespace can be made here: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            assert libc.setns(of_the_machine.fileno(), NETWORK) == 0


@pytest.fixture
def wire(own_network: None) -> Iterator[Wire]:
    try:
        made = Wire()
    except OSError as error:
        pytest.skip(f"No namespace of the network can be made here: {error}")
    yield made
    made.end()


def test_what_is_sent_over_a_cut_wire_arrives_when_it_is_mended(wire: Wire) -> None:
    with (
        wire.listener(0) as listener,
        socket.create_connection(listener.getsockname(), timeout=5) as here,
        listener.accept()[0] as there,
    ):
        here.sendall(b"one")
        assert there.recv(10) == b"one"
        wire.cut()
        there.settimeout(0.5)
        # Nobody is told: it is taken as if it were on its way.
        here.sendall(b"two")
        with pytest.raises(TimeoutError):
            there.recv(10)
        there.settimeout(30)
        wire.mend()
        assert there.recv(10) == b"two"


@pytest.mark.parametrize("is_dropped", [True, False])
def test_what_is_dropped_at_the_close_does_not_arrive_later(wire: Wire, is_dropped: bool) -> None:
    with wire.listener(0) as listener:
        here = socket.create_connection(listener.getsockname(), timeout=5)
        with listener.accept()[0] as there:
            there.settimeout(30)
            here.sendall(b"one")
            assert there.recv(10) == b"one"
            wire.cut()
            here.sendall(b"two")
            port = here.getsockname()[1]
            if is_dropped:
                drop_undelivered(here)
            here.close()
            assert (port in ports_still_sending()) is not is_dropped
            wire.mend()
            if not is_dropped:
                assert there.recv(10) == b"two"


def ports_still_sending() -> set[int]:
    """Of this thread's network: those whose kernel goes on though the program has closed them."""
    lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {int(own.rpartition(":")[2], 16) for _, own, _, state, *_ in fields if state == CLOSING}


def test_nobody_is_reached_over_a_cut_wire(wire: Wire) -> None:
    with wire.listener(0) as listener:
        wire.cut()
        with pytest.raises((TimeoutError, OSError)):
            socket.create_connection(listener.getsockname(), timeout=0.5)


def test_a_flapping_wire_delivers_everything_in_the_end(wire: Wire) -> None:
    sent = bytes(range(256)) * 250
    with (
        wire.listener(0) as listener,
        # What is lost is sent again after pauses that double each time.
        socket.create_connection(listener.getsockname(), timeout=120) as here,
        listener.accept()[0] as there,
    ):
        there.settimeout(120)
        wire.flap()
        got = b""
        for start in range(0, len(sent), 2_000):
            here.sendall(sent[start : start + 2_000])
        while len(got) < len(sent):
            got += there.recv(65536)
        wire.steady()
    assert got == sent
