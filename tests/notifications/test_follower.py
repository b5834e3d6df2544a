"""A follower yields each notification once and in order, however slowly its client takes them."""

import asyncio
import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.models import Notification
from finesse.notifications.places import BEGINNING, Place
from finesse.notifications.readers import Reader

NODE, OTHER = "/finesse/api/User/alice/Media", "/finesse/api/User/bob/Media"
ALICE = Reader(login_id="alice", watches=frozenset({"alice"}), credentials="", teams=frozenset())
EVERYTHING = Reader(login_id="alice", watches=None, credentials="", teams=frozenset())


class Log:
    """A hub with one follower; a page of its history has two notifications."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        self.written = 0
        self.follower = Follower(self, ALICE, BEGINNING)

    @property
    def place(self) -> Place:
        return self.notifications[-1].place if self.notifications else BEGINNING

    async def history(self, follower: Follower) -> tuple[list[Notification], Place]:
        page = self.notifications[follower.place.position :][:2]
        return page, page[-1].place if page else follower.place

    def note(self, follower: Follower) -> None:
        pass

    def publish(self, node: str = NODE) -> None:
        before = self.place
        self.written += 1
        written = Notification(position=before.position + 1, check_digits=self.written, node=node)
        self.notifications.append(written)
        if self.follower.reader.may_see(node):
            self.follower.wake(before)

    def restore(self, length: int) -> None:
        """To its first notifications, of which the follower has to start again."""
        del self.notifications[length:]
        self.follower.restart()


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
            if isinstance(one, Notification):
                self.sent.append(one.position)
            else:
                self.sent.append("access" if isinstance(one, AccessChanged) else "reset")

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
    assert log.follower.reached == log.place
    await socket.close()


async def test_what_comes_before_it_iterates_is_sent_when_it_does() -> None:
    log = Log()
    socket = Socket(log.follower)
    log.publish()
    assert (socket.sent, log.follower.reached) == ([], BEGINNING)
    await settled()
    assert (socket.sent, log.follower.reached) == ([1], log.place)
    await socket.close()


async def test_it_has_not_reached_what_it_has_yet_to_send() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    log.publish(OTHER)
    first = log.place
    assert log.follower.reached == first
    log.publish()
    assert log.follower.reached == first
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


async def test_after_a_restore_it_says_so_and_goes_on_behind_the_new_head() -> None:
    log = Log()
    socket = Socket(log.follower)
    await settled()
    for _ in range(3):
        log.publish()
    await settled()
    log.restore(1)
    log.publish()
    await settled()
    assert socket.sent == [1, 2, 3, "reset", 2]
    assert log.follower.reached == log.place
    await socket.close()


async def test_a_page_of_a_log_that_was_restored_meanwhile_is_dropped() -> None:
    log = Log()
    socket = Socket(log.follower)
    log.publish()
    log.publish()
    socket.may_send.clear()
    await settled()
    # The first one of the page is being sent, the second one waits.
    log.restore(0)
    socket.may_send.set()
    log.publish()
    await settled()
    assert socket.sent == [1, "reset", 1]
    await socket.close()


STEPS = ["own", "other", "full", "free", "turn", "restore"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_each_is_sent_once_and_in_order_however_often_the_socket_is_full(steps: list[str]) -> None:
    async def play() -> None:
        log = Log()
        socket = Socket(log.follower)
        expected: list[int] = []
        for step in steps:
            if step == "full":
                socket.may_send.clear()
            elif step == "free":
                socket.may_send.set()
            elif step == "turn":
                await asyncio.sleep(0)
            elif step == "restore":
                log.restore(len(log.notifications) // 2)
                expected.clear()
            else:
                log.publish(NODE if step == "own" else OTHER)
                if step == "own":
                    expected.append(log.place.position)
        socket.may_send.set()
        async with asyncio.timeout(30):
            while log.follower.reached != log.place:
                await asyncio.sleep(0)
        # The last one is on its way.
        await settled()
        assert ("reset" in socket.sent) == ("restore" in steps)
        since = len(socket.sent) - [*reversed(socket.sent), "reset"].index("reset")
        assert socket.sent[since:] == expected
        await socket.close()

    asyncio.run(play())
