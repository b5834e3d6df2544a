"""The hub: where a process's sockets get their notifications from.

One hub a process follows the log: it takes batches from the channel layer, sees by the positions
when one is missing and then reads the table, so that the layer may drop, repeat or reorder as it
likes. It hands each notification to the followers that may see its node. A follower that was
away, or that reads too slowly, reads the table at its own pace from where it stands.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Literal
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from finesse.notifications import log
from finesse.notifications.follower import Follower
from finesse.notifications.models import Notification
from finesse.notifications.outages import OutageWatch
from finesse.notifications.readers import Reader, renewed
from finesse.notifications.together import Together
from finesse.notifications.transports.channels import GROUP, unpacked
from finesse.presence import stamps
from finesse.presence.local_clients import Attendance

logger = logging.getLogger(__name__)

Resume = Literal["live", "replayed", "reset"]
SILENCE = 3.0
"""Seconds without a word from the layer, after which the hub looks for itself."""
PULSE = 1.0
"""Seconds from one look at the heartbeats to the next."""
UNKNOWN = -1
"""An access count that no log has: whoever meets it has to ask who may see what."""
BREATH = 1000
"""Followers told in a row before whatever else waits for the loop has its turn."""
WINDOW = 2000
"""Newest notifications kept in memory: most who reconnect need no query."""


class Hub:
    """See the module. Lives on one event loop, which is what makes its state safe."""

    _hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.position = 0
        """Everything up to here has been handed to the followers."""
        self._access = UNKNOWN
        self._followers: set[Follower] = set()
        self._window: deque[Notification] = deque(maxlen=WINDOW)
        self._by_node: defaultdict[str, set[Follower]] = defaultdict(set)
        self._of_everything: set[Follower] = set()
        self._attendance = Attendance(self._present)
        self._readers = Together[Reader, Reader](lambda readers: renewed(readers))
        self._floor = Together[str, int](_floor)
        # The socket that subscribes and the task that follows both advance the position.
        self._advancing = asyncio.Lock()
        self._started = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def running(cls) -> "Hub":
        """The hub of this event loop, started on first use."""
        loop = asyncio.get_running_loop()
        hub = cls._hubs.setdefault(loop, cls())
        async with hub._advancing:
            if not hub._started:
                head = await database_sync_to_async(log.head)()
                hub.position, hub._access = head.position, head.access
                hub._started = True
                hub._task = asyncio.create_task(hub._follow_the_log(), name="hub")
        return hub

    async def subscribe(self, reader: Reader, after: int | None) -> tuple[Resume, int, Follower]:
        """How the subscription starts, the head at that moment, and the follower to iterate."""
        resume: Resume = "live"
        if after is not None:
            if after > self.position:
                await self._catch_up()
            resume = "replayed" if await self._can_replay(after) else "reset"
        current = await self._as_of_now(reader)
        start = after if after is not None and resume == "replayed" else self.position
        follower = Follower(self, current or reader, start)
        if current is None:
            follower.end()
        else:
            self._join(follower)
            self.note(follower)
        return resume, self.position, follower

    def leave(self, follower: Follower) -> None:
        if follower in self._followers:
            self._part(follower)
            if follower.present:
                self.note(follower)

    def note(self, follower: Follower) -> None:
        """The follower's client has come or gone."""
        self._attendance.note(follower.reader.login_id)

    def _part(self, follower: Follower) -> None:
        self._followers.discard(follower)
        self._of_everything.discard(follower)
        for node in follower.reader.nodes or ():
            self._by_node[node].discard(follower)
            if not self._by_node[node]:
                del self._by_node[node]

    async def renew(self, follower: Follower) -> None:
        """Let it go on with what its client is subscribed to now."""
        # Between reviews: one that had asked before this would take the answer back.
        async with self._advancing:
            current = await self._as_of_now(follower.reader)
            self._let_see(follower, current)

    async def history(self, follower: Follower) -> tuple[list[Notification], int]:
        """The next notifications behind the follower's position, and the position that it has
        reached when it has had them. Those in memory are everybody's: the follower filters."""
        after, upto = follower.position, self.position
        if self._remembers(after):
            return [self._window[index] for index in range(after - upto, 0)], upto
        nodes = follower.reader.nodes
        page = await database_sync_to_async(log.read)(after=after, upto=upto, nodes=nodes)
        return page, page[-1].position if len(page) == log.PAGE else upto

    def _remembers(self, after: int) -> bool:
        """Whether everything behind this position is in memory."""
        missed = self.position - after
        # The log may have been pruned before the hub had read all of it: then there is a gap.
        return not missed or (
            missed <= len(self._window) and self._window[-missed].position == after + 1
        )

    # --- following the log ----------------------------------------------------------------------

    async def _follow_the_log(self) -> None:
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        beside = [asyncio.create_task(self._listen(heard)), asyncio.create_task(self._watch())]
        if stamps.is_on():
            beside.append(asyncio.create_task(self._attendance.keep()))
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE):
                        message = await heard.get()
                except TimeoutError:
                    message = None
                try:
                    await (self._take(message) if message else self._catch_up())
                except Exception:
                    # The database is away: what was missed is read when it is back.
                    logger.exception("The hub cannot read the log; it will try again")
                    await asyncio.sleep(1)
        finally:
            for task in beside:
                task.cancel()

    async def _listen(self, heard: "asyncio.Queue[dict[str, Any]]") -> None:
        layer = get_channel_layer()
        assert layer is not None
        while True:
            channel = await layer.new_channel()
            try:
                await layer.group_add(GROUP, channel)
                while True:
                    heard.put_nowait(await layer.receive(channel))
            except Exception:
                logger.exception(
                    "The channel layer does not answer; the hub reads the log meanwhile"
                )
                with contextlib.suppress(Exception):
                    await layer.group_discard(GROUP, channel)
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        """Tell of a worker that has stopped, one look after the other."""
        # In a thread of its own: what is away makes it wait, and all sockets' queries share one.
        look = database_sync_to_async(OutageWatch().look, thread_sensitive=False)
        while True:
            await asyncio.sleep(PULSE)
            try:
                await look(time.monotonic())
            except Exception as error:
                logger.warning("The status is not published, the next look tries again: %r", error)

    async def _take(self, message: dict[str, Any]) -> None:
        async with self._advancing:
            batch = [unpacked(packed) for packed in message["batch"]]
            fresh = [
                notification for notification in batch if notification.position > self.position
            ]
            if fresh and fresh[0].position == self.position + 1:
                await self._hand_out(fresh, message["access"])
            elif message["access"] != self._access:
                await self._hand_out([], message["access"])
        if message["head"] > self.position:
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Read the table until nothing is behind the position."""
        async with self._advancing:
            while True:
                page, head = await database_sync_to_async(log.read_with_head)(self.position)
                await self._hand_out(page, head.access)
                if len(page) < log.PAGE:
                    break

    async def _hand_out(self, batch: Sequence[Notification], access: int) -> None:
        """Give each notification to those who may see it, as of an access at least as new."""
        if access != self._access:
            await self._review(access)
        told = 0
        for notification in batch:
            self._window.append(notification)
            self.position = notification.position
            followers = (self._of_everything, self._by_node.get(notification.node, ()))
            for follower in chain(*followers):
                follower.wake(notification.position)
            told += sum(map(len, followers))
            if told >= BREATH:
                told = 0
                # Whoever subscribes meanwhile starts from the position, and hears of the rest.
                await asyncio.sleep(0)

    # --- who follows ----------------------------------------------------------------------------

    def _present(self) -> set[str]:
        return {follower.reader.login_id for follower in self._followers if follower.present}

    def _join(self, follower: Follower) -> None:
        self._followers.add(follower)
        if follower.reader.nodes is None:
            self._of_everything.add(follower)
        for node in follower.reader.nodes or ():
            self._by_node[node].add(follower)

    async def _as_of_now(self, reader: Reader) -> Reader | None:
        """What the reader may see now, or None if it has lost its access since its handshake."""
        while True:
            access = self._access
            current = await self._readers.get(reader)
            # If users changed meanwhile, this answer may be from before the change.
            if access == self._access:
                return current

    async def _review(self, access: int) -> None:
        """Ask anew what each follower may see; end those who may see nothing any more."""
        # First of all, so that whoever is subscribing right now asks again.
        self._access = access
        followers = [*self._followers]
        try:
            readers = await renewed({follower.reader for follower in followers})
        except BaseException:
            self._access = UNKNOWN
            raise
        for follower in followers:
            self._let_see(follower, readers.get(follower.reader))

    def _let_see(self, follower: Follower, current: Reader | None) -> None:
        """Let it go on with what its user may see now, or end it."""
        if follower not in self._followers:
            return  # It left while the question was asked.
        self._part(follower)
        if current is None:
            follower.end()
        else:
            follower.see(current)
            self._join(follower)

    async def _can_replay(self, after: int) -> bool:
        if after > self.position:
            return False
        if self._remembers(after):
            return True
        floor = await self._floor.get("floor")
        return floor is not None and after >= floor


async def _floor(asked: Collection[str]) -> dict[str, int]:
    floor: int = await database_sync_to_async(log.floor)()
    return dict.fromkeys(asked, floor)
