"""A follower yields each notification once and in order, however slowly its client takes them."""

import asyncio
import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader

NODE, OTHER = "/finesse/api/User/alice/Media", "/finesse/api/User/bob/Media"
ALICE = Reader(login_id="alice", watches=frozenset({"alice"}), credentials="", teams=frozenset())
EVERYTHING = Reader(login_id="alice", watches=None, credentials="", teams=frozenset())


class Log:
    """A hub with one follower; a page of its history has two notifications."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        self.follower = Follower(self, ALICE, 0)

    @property
    def position(self) -> int:
        return len(self.notifications)

    async def history(self, follower: Follower) -> tuple[list[Notification], int]:
        page = self.notifications[follower.position :][:2]
        return page, follower.position + len(page)

    def note(self, follower: Follower) -> None:
        pass

    def publish(self, node: str = NODE) -> None:
        self.notifications.append(Notification(position=self.position + 1, node=node))
        if self.follower.reader.may_see(node):
            self.follower.wake(self.position)


class Socket:
    """Sends what the follower yields, while it is not full."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.sent: list[Any] = []
        self.task = asyncio.create_task(self._forward())

    async def _forward(self) -> None:
        async for one in self.follower:
            await self.may_send.wait()
            self.sent.append("access" if isinstance(one, AccessChanged) else one.position)

    async def close(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_while_it_waits_is_sent() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.publish()
    log.publish()
    await settled()
    assert socket.sent == [1, 2]
    assert log.follower.reached == 2
    await socket.close()


async def test_what_comes_before_it_iterates_is_sent_when_it_does() -> None:
    log = Log()
    socket = Socket(log.follower)
    log.publish()
    assert (socket.sent, log.follower.reached) == ([], 0)
    await settled()
    assert (socket.sent, log.follower.reached) == ([1], 1)
    await socket.close()


async def test_it_has_not_reached_what_it_has_yet_to_send() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.publish(OTHER)
    assert log.follower.reached == 1
    log.publish()
    assert log.follower.reached == 1
    await socket.close()


async def test_what_it_may_see_only_since_then_is_not_sent() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.publish(OTHER)
    log.follower.see(EVERYTHING)
    log.publish(OTHER)
    await settled()
    assert socket.sent == ["access", 2]
    await socket.close()


async def test_what_it_may_not_see_is_passed_over() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.publish(OTHER)
    log.publish()
    await settled()
    assert socket.sent == [2]
    await socket.close()


async def test_it_hears_of_its_access_before_what_came_later() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.follower.see(EVERYTHING)
    log.publish(OTHER)
    await settled()
    assert socket.sent == ["access", 1]
    await socket.close()


async def test_nothing_more_comes_at_its_end() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.follower.end()
    log.publish()
    await settled()
    assert socket.sent == []
    assert socket.task.done()


@settings(deadline=None)
@given(st.lists(st.sampled_from(["own", "other", "full", "free", "turn"]), max_size=40))
def test_each_is_sent_once_and_in_order_however_often_the_socket_is_full(steps: list[str]) -> None:
    async def play() -> None:
        log = Log()
        socket = Socket(log.follower)
        expected = []
        for step in steps:
            if step == "full":
                socket.may_send.clear()
            elif step == "free":
                socket.may_send.set()
            elif step == "turn":
                await asyncio.sleep(0)
            else:
                log.publish(NODE if step == "own" else OTHER)
                if step == "own":
                    expected.append(log.position)
        socket.may_send.set()
        async with asyncio.timeout(30):
            while log.follower.reached < log.position:
                await asyncio.sleep(0)
        # The last one is on its way.
        await settled()
        assert socket.sent == expected
        await socket.close()

    asyncio.run(play())
