"""The hub: follows the log for all sockets of a process, and wakes them.

It takes batches from the channel layer, notices by the positions when one is missing, and then
reads the table: the layer may drop, repeat or reorder batches. It keeps the newest notifications in
memory, and wakes the followers that may see them. Each follower reads on from its own position, at
its own pace: from the hub's memory, or from the table if its position is older than that.

Whatever it hears or reads has to follow the place that it has reached. If it does not, the database
was restored from a backup: the hub starts anew at the log's new head, and so does every follower.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Literal
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.layers import get_channel_layer

from finesse import traces
from finesse.db.off_loop import BACKGROUND, off_loop
from finesse.metrics.counters import RESTORED, begin_subscriptions, subscriptions
from finesse.notifications import log
from finesse.notifications.batched_lookup import BatchedLookup
from finesse.notifications.follower import Follower
from finesse.notifications.models import Notification
from finesse.notifications.outages import OutageWatch
from finesse.notifications.places import BEGINNING, Place
from finesse.notifications.readers import Reader, renewed, still_signed_in
from finesse.notifications.transports.channels import GROUP, unpacked
from finesse.presence import stamps
from finesse.presence.local_clients import Attendance

logger = logging.getLogger(__name__)

Resume = Literal["live", "replayed", "reset"]
CHANNEL_LAYER_TIMEOUT_SECONDS = 3.0
"""If the layer delivers nothing for this time, the hub reads the table."""
HEARTBEAT_CHECK_SECONDS = 1.0
"""Pause between two checks of the heartbeats."""
SESSION_CHECK_SECONDS = 2.0
"""Pause between two checks of the browsers' sessions."""
UNKNOWN_ACCESS = -1
"""An access count that no log has: what followers may see must be looked up."""
WAKES_IN_A_ROW = 1000
"""Followers that are woken before the event loop may run them and everything else."""
NOTIFICATIONS_IN_MEMORY = 2000
"""The newest ones. Most clients that reconnect have missed fewer, and need no query."""
MESSAGES_IN_MEMORY = 100
"""From the channel layer, while the database is away. The layer drops further ones, as it may."""


class Hub:
    """See the module. It belongs to one event loop, which is what makes its state safe."""

    _hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.place = BEGINNING
        """Followers may read up to here."""
        self._restores = 0
        """How often the log was restored since the hub has started."""
        self._access = UNKNOWN_ACCESS
        self._followers: set[Follower] = set()
        self._recent: deque[Notification] = deque(maxlen=NOTIFICATIONS_IN_MEMORY)
        self._by_node: defaultdict[str, set[Follower]] = defaultdict(set)
        self._of_everything: set[Follower] = set()
        self._attendance = Attendance(self._present)
        self._readers = BatchedLookup[Reader, Reader](lambda readers: renewed(readers))
        self._known = BatchedLookup[Place, Place](_known)
        self._page_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._reading_page = asyncio.Lock()
        # Subscribing sockets and the task that follows the log both advance the position.
        self._advancing = asyncio.Lock()
        self._started = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def running(cls) -> "Hub":
        """The hub of this event loop, started on first use."""
        loop = asyncio.get_running_loop()
        if (hub := cls._hubs.get(loop)) is None:
            hub = cls._hubs[loop] = cls()
        async with hub._advancing:
            if not hub._started:
                hub.place, head = await off_loop(log.newest_place)()
                hub._access = head.access
                begin_subscriptions()
                hub._started = True
                hub._task = asyncio.create_task(hub._follow_the_log(), name="hub")
        return hub

    async def subscribe(
        self, reader: Reader, after: Place | None
    ) -> tuple[Resume, Place, Follower]:
        """Start a subscription behind the place `after`, or with what is new if it is None.

        Returns how it starts, the place of the newest notification, and the follower to iterate.
        `reset` means that the log is pruned behind `after`, or that it is of another log.
        """
        while True:
            restores = self._restores
            resume = await self._resume(after)
            current = await self._as_of_now(reader)
            if restores == self._restores:
                break  # Otherwise these answers are about another log.
        start = after if after is not None and resume == "replayed" else self.place
        follower = Follower(self, current or reader, start)
        subscriptions.labels(resume).inc()
        if current is None:
            follower.end()
        else:
            self._join(follower)
            self.note(follower)
        return resume, self.place, follower

    async def _resume(self, after: Place | None) -> Resume:
        if after is None:
            return "live"
        if after.position > self.place.position:
            await self._catch_up()
        return "replayed" if await self._can_replay(after) else "reset"

    def attend(self, reader: Reader) -> Follower:
        """For a socket that has yet to subscribe: a follower that is not to be iterated, and ends
        when the access of its user does."""
        follower = Follower(self, reader, self.place, present=False)
        self._join(follower)
        return follower

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
        """Look up what its client is subscribed to now."""
        # Not during a review: its older answer would replace this one.
        async with self._advancing:
            current = await self._as_of_now(follower.reader)
            self._let_see(follower, current)

    async def history(self, follower: Follower) -> tuple[list[Notification], Place]:
        """The next notifications after the follower's place, and the place that they reach.

        Those from memory are of all nodes; the follower filters them.
        """
        after, upto = follower.place.position, self.place
        if self._remembers(after):
            missed = after - upto.position
            page = [self._recent[index] for index in range(missed, min(missed + log.PAGE, 0))]
            return page, page[-1].place if page else upto
        async with self._turn_of(follower.reader.login_id), self._reading_page:
            upto, read = self.place, off_loop(log.read)
            page = await read(after=after, upto=upto.position, nodes=follower.reader.nodes)
        return page, page[-1].place if len(page) == log.PAGE else upto

    def _turn_of(self, login_id: str) -> asyncio.Lock:
        """Held while a page is read for the user: one page at a time is read from the table, for
        each user in turn, so that other queries wait for one page at most."""
        return self._page_turns.setdefault(login_id, asyncio.Lock())

    def _remembers(self, after: int) -> bool:
        """Whether everything after this position is in memory."""
        missed = self.place.position - after
        # Positions have a gap if the log was pruned before the hub had read all of it.
        return not missed or (
            0 < missed <= len(self._recent) and self._recent[-missed].position == after + 1
        )

    def _has_passed(self, place: Place) -> bool:
        """Whether the hub has been at this place, as far as its memory goes."""
        back = self.place.position - place.position
        if 0 < back < len(self._recent):
            return self._recent[-1 - back].place == place
        return place == self.place

    # --- following the log ----------------------------------------------------------------------

    async def _follow_the_log(self) -> None:
        received: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MESSAGES_IN_MEMORY)
        companions = [
            asyncio.create_task(self._receive_from_layer(received)),
            asyncio.create_task(self._check_heartbeats()),
            asyncio.create_task(self._check_sessions()),
        ]
        if stamps.is_on():
            companions.append(asyncio.create_task(self._attendance.keep()))
        try:
            while True:
                try:
                    async with asyncio.timeout(CHANNEL_LAYER_TIMEOUT_SECONDS):
                        message = await received.get()
                except TimeoutError:
                    message = None
                try:
                    await (self._take(message) if message else self._catch_up())
                except Exception:
                    # The database is away. What was missed is read when it is back.
                    logger.exception("The hub cannot read the log; it will try again")
                    await asyncio.sleep(1)
        finally:
            for task in companions:
                task.cancel()

    async def _receive_from_layer(self, received: "asyncio.Queue[dict[str, Any]]") -> None:
        layer = get_channel_layer()
        assert layer is not None
        while True:
            channel = None
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    await received.put(await layer.receive(channel))
            except Exception:
                logger.exception(
                    "The channel layer does not answer; meanwhile the hub reads the log"
                )
                if channel is not None:
                    with contextlib.suppress(Exception):
                        await layer.group_discard(GROUP, channel)
                await asyncio.sleep(1)

    async def _check_heartbeats(self) -> None:
        """Regularly publish that the service is out of service if a worker has stopped."""
        # A dependency that is away must not block the thread that all sockets' queries share.
        look = off_loop(OutageWatch().look, thread_sensitive=False, executor=BACKGROUND)
        while True:
            await asyncio.sleep(HEARTBEAT_CHECK_SECONDS)
            try:
                await look(time.monotonic())
            except Exception as error:
                logger.warning(
                    "The status could not be checked; the next check tries again: %r", error
                )

    async def _check_sessions(self) -> None:
        """Regularly end the followers whose browser's session has ended, or whose user is inactive.

        Not all ends can say so: time passes, and statements delete sessions and deactivate users.
        """
        while True:
            await asyncio.sleep(SESSION_CHECK_SECONDS)
            readers = {one.reader for one in self._followers if one.reader.session}
            if not readers:
                continue
            try:
                signed_in = await off_loop(still_signed_in)(readers)
            except Exception as error:
                logger.warning("Sessions could not be checked; the next check will: %r", error)
                continue
            ended = readers - signed_in
            for follower in [*self._followers]:
                if follower.reader in ended:
                    self._let_see(follower, None)

    async def _take(self, message: dict[str, Any]) -> None:
        begun = time.time_ns()
        async with self._advancing:
            batch = [unpacked(packed) for packed in message["batch"]]
            steps = [Place(*message["after"]), *(notification.place for notification in batch)]
            if self.place in steps:
                await self._advance(batch[steps.index(self.place) :], message["access"])
            elif message["access"] != self._access:
                await self._advance([], message["access"])
        if traces.on:
            traces.delivered(message.get("traces", ()), begun)
        # Something is missing here, or the log was restored. A batch may be late; but a sweep that
        # has nothing to hand over says where the log is.
        head = Place(*message["head"])
        if not (self._has_passed(head) if batch else head == self.place):
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Read the table up to its newest notification."""
        async with self._advancing:
            while True:
                try:
                    page, head = await off_loop(log.read_on)(self.place)
                except log.AnotherLogError:
                    await self._start_anew()
                    break
                await self._advance(page, head.access)
                if len(page) < log.PAGE:
                    break

    async def _start_anew(self) -> None:
        """The database was restored: begin at the log's new head, and tell every follower."""
        logger.warning(
            "The log does not have %s any more: the database was restored. Every client is told.",
            self.place,
        )
        place, head = await off_loop(log.newest_place)()
        # Users and subscriptions were restored, too, perhaps without another count.
        await self._review(head.access)
        self._restores += 1
        self.place = place
        self._recent.clear()
        subscriptions.labels(RESTORED).inc(len(self._followers))
        for follower in self._followers:
            follower.restart()

    async def _advance(self, batch: Sequence[Notification], access: int) -> None:
        """Wake the followers that may see each notification; `access` is at least as new."""
        if access != self._access:
            await self._review(access)
        woken = 0
        for notification in batch:
            before, self.place = self.place, notification.place
            self._recent.append(notification)
            followers = (self._of_everything, self._by_node.get(notification.node, ()))
            for follower in chain(*followers):
                follower.wake(before)
            woken += sum(map(len, followers))
            if woken >= WAKES_IN_A_ROW:
                woken = 0
                # A client that subscribes meanwhile starts at this position and gets the rest.
                await asyncio.sleep(0)

    # --- followers ------------------------------------------------------------------------------

    def _present(self) -> set[str]:
        return {follower.reader.login_id for follower in self._followers if follower.present}

    def _join(self, follower: Follower) -> None:
        self._followers.add(follower)
        if follower.reader.nodes is None:
            self._of_everything.add(follower)
        for node in follower.reader.nodes or ():
            self._by_node[node].add(follower)

    async def _as_of_now(self, reader: Reader) -> Reader | None:
        """What the reader may see now; None if its access has ended since its handshake."""
        while True:
            access = self._access
            current = await self._readers.get(reader)
            # If users changed meanwhile, this answer may be older than the change.
            if access == self._access:
                return current

    async def _review(self, access: int) -> None:
        """Look up again what each follower may see; end those whose access has ended."""
        # Before the lookup, so that a client that is just subscribing looks it up again, too.
        self._access = access
        followers = [*self._followers]
        try:
            readers = await renewed({follower.reader for follower in followers})
        except BaseException:
            self._access = UNKNOWN_ACCESS
            raise
        for follower in followers:
            self._let_see(follower, readers.get(follower.reader))

    def _let_see(self, follower: Follower, current: Reader | None) -> None:
        """Let it see what its user may see now, or end it if that is None."""
        if follower not in self._followers:
            return  # It left during the lookup.
        self._part(follower)
        if current is None:
            follower.end()
        else:
            follower.see(current)
            self._join(follower)

    async def _can_replay(self, after: Place) -> bool:
        if after.position > self.place.position:
            return False
        return self._has_passed(after) or await self._known.get(after) is not None


async def _known(places: Collection[Place]) -> dict[Place, Place]:
    found: set[Place] = await off_loop(log.known)(places)
    return {place: place for place in found}
