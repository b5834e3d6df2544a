"""A follower sends each notification once and in order, at once where nothing has to be awaited."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader

NODE, OTHER = "/finesse/api/User/alice/Media", "/finesse/api/User/bob/Media"
ALICE = Reader(login_id="alice", watches=frozenset({"alice"}), credentials="", teams=frozenset())


class Log:
    """A hub with one follower and nothing in the past."""

    def __init__(self) -> None:
        self.position = 0
        self.follower = Follower(self, ALICE, 0)

    async def history(self, follower: Follower, upto: int) -> AsyncIterator[Notification]:
        for position in range(follower.position + 1, upto + 1):
            yield notification(position)

    def note(self, follower: Follower) -> None:
        pass

    def tell(self, node: str = NODE) -> None:
        self.position += 1
        self.follower.offer(notification(self.position, node))


def notification(position: int, node: str = NODE) -> Notification:
    return Notification(position=position, node=node)


class Socket:
    """Sends what the follower hands over or yields; `way` is what writing at once comes to."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.way: bool | Exception = True
        self.sent: list[Any] = []
        self.at_once: list[int] = []
        follower.hand_over = self._hand_over
        self.task = asyncio.create_task(self._forward())

    def _hand_over(self, handed: Notification) -> bool:
        if isinstance(self.way, Exception):
            raise self.way
        if self.way:
            self.sent.append(handed.position)
            self.at_once.append(handed.position)
        return self.way

    async def _forward(self) -> None:
        async for one in self.follower:
            self.sent.append("access" if isinstance(one, AccessChanged) else one.position)

    async def close(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_it_waits_is_handed_over_at_once() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.tell()
    log.tell()
    assert socket.sent == socket.at_once == [1, 2]
    assert log.follower.reached == 2
    await socket.close()


async def test_what_comes_before_it_iterates_is_not() -> None:
    log = Log()
    socket = Socket(log.follower)
    log.tell()
    assert socket.sent == []
    await settled()
    assert (socket.sent, socket.at_once) == ([1], [])
    await socket.close()


async def test_what_it_may_not_see_is_passed_over() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.tell(OTHER)
    log.tell()
    assert socket.sent == [2]
    await socket.close()


async def test_it_hears_of_its_access_before_what_came_later() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.follower.see(Reader(login_id="alice", watches=None, credentials="", teams=frozenset()))
    log.tell(OTHER)
    await settled()
    assert (socket.sent, socket.at_once) == (["access", 1], [])
    await socket.close()


async def test_nothing_more_comes_at_its_end() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.follower.end()
    log.tell()
    await settled()
    assert socket.sent == []
    assert socket.task.done()


@given(st.lists(st.sampled_from(["tell", "other", "full", "free", "broken", "wait"]), max_size=40))
def test_each_is_sent_once_and_in_order_however_often_the_socket_is_full(steps: list[str]) -> None:
    async def play() -> None:
        log = Log()
        socket = Socket(log.follower)
        expected = []
        ways: dict[str, bool | Exception] = {
            "full": False,
            "free": True,
            "broken": RuntimeError("broken"),
        }
        for step in steps:
            if step in ways:
                socket.way = ways[step]
            elif step == "wait":
                await settled()
            else:
                log.tell(NODE if step == "tell" else OTHER)
                if step == "tell":
                    expected.append(log.position)
        await settled()
        # What it missed before it began to iterate is read from the log, which has alice's alone.
        assert [one for one in socket.sent if one in expected] == expected
        assert socket.sent == sorted(set(socket.sent))
        await socket.close()

    asyncio.run(play())
