"""One round: clients and followers, a fault in their midst, its end, and what the checker says."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from finesse.notifications.nodes import SYSTEM_INFO, nodes_of, reason_codes_of, viewers_nodes_of
from tests.faults import reading
from tests.faults.clients import CHAT, XMPP, Load, Viewer
from tests.faults.faults import Fault
from tests.faults.history import OUT_OF_SERVICE, History, Key, Kind, Operation, Verdict, check
from tests.faults.set_up import SetUp

STEADY_SECONDS = 1.0
"""Of load before the fault, and after everything is back."""
BACK_SECONDS = 120
"""Within this time everything has to be back; it is no target, but an end of patience."""
FOLLOW_SECONDS = 30
"""Within this time each follower has to have all; else the checker says what it has not."""
AGAIN = 20
"""Requests that have to be accepted after a fault before a round ends."""
XMPP_USER = "1234"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round has shown. Times are seconds; None: it did not happen."""

    verdict: Verdict
    outage: float
    """The longest time without any 202."""
    silence: float
    """The longest time without a notification at the administrator's socket."""
    until_503: float | None
    """From the fault's begin to the first 503."""
    slowest_503: float | None
    """The longest that a client has waited for a 503."""
    back: float
    """From the fault's end until a request was sent that was accepted."""
    duration: float


@dataclass
class Rounds:
    """Rounds on one set-up, one after another."""

    set_up: SetUp
    keys: list[Key] = field(default_factory=list)
    _unknown: set[str] = field(default_factory=set)
    """Requests of former rounds of which their clients know nothing."""

    def __post_init__(self) -> None:
        with self.set_up.database() as database:
            self.keys = [*reading.before(database).sessions]
        self.xmpp = XMPP(self.set_up, XMPP_USER, frozenset([SYSTEM_INFO, *nodes_of(XMPP_USER)]))

    async def end(self) -> None:
        await self.xmpp.end()

    async def play(self, fault: Fault) -> Round:
        """Raises AssertionError if the service does not come back."""
        began = time.monotonic()
        self.set_up.restored = None
        await asyncio.to_thread(fault.prepare, self.set_up)
        await asyncio.to_thread(self._until_quiet)
        with self.set_up.database() as database:
            before = reading.before(database)
        viewers = self._viewers()
        load = Load(self.set_up, self.keys)
        try:
            async with asyncio.timeout(60):
                await asyncio.gather(*(viewer.ready.wait() for viewer in viewers))
            await self.xmpp.begin(before.head.number)
            load.start()
            await _accepted(load, AGAIN)
            await asyncio.sleep(STEADY_SECONDS)
            broken, mended = await self._break(fault)
            await _accepted(load, AGAIN, since=mended)
            await asyncio.to_thread(self.set_up.until_all_work)
            await asyncio.sleep(STEADY_SECONDS)
            await load.end()
            await asyncio.to_thread(self._until_quiet)
            await self._until_followed(before, viewers)
        finally:
            await load.end()
            await asyncio.gather(*(viewer.end() for viewer in viewers))
        verdict = await asyncio.to_thread(self._check, fault, before, load.operations, viewers)
        return Round(
            verdict=verdict,
            outage=_longest(one.answered for one in load.accepted()),
            silence=_longest(at for _, at in viewers[-1].got),
            **_of_503(load.operations, broken),
            back=min(one.invoked for one in load.accepted() if one.invoked > mended) - mended,
            duration=time.monotonic() - began,
        )

    def _viewers(self) -> list[Viewer]:
        codes = reason_codes_of([1])
        agent = frozenset([SYSTEM_INFO, *viewers_nodes_of("1235"), *codes])
        of_chat = (node for login_id in (*CHAT, "2001") for node in viewers_nodes_of(login_id))
        team = frozenset([SYSTEM_INFO, *of_chat, *codes])
        return [
            Viewer(self.set_up, "1235", agent),
            Viewer(self.set_up, "2001", team),
            Viewer(self.set_up, "admin", None, restless=40),
            Viewer(self.set_up, "admin", None),
        ]

    async def _break(self, fault: Fault) -> tuple[float, float]:
        """When the fault began, and when it was over."""
        during = fault.during(self.set_up)
        broken = time.monotonic()
        await asyncio.to_thread(during.__enter__)
        if fault.is_begun_slowly:
            broken = time.monotonic()
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(during.__exit__, None, None, None)
        return broken, time.monotonic()

    def _until_quiet(self) -> None:
        """In service, and nothing is left to be applied; asked twice, for what is on its way."""
        self.set_up.await_status(200)
        deadline = time.monotonic() + BACK_SECONDS
        quiet, head = 0, None
        with self.set_up.database() as database:
            while quiet < 3:
                now = reading.before(database).head
                is_quiet = reading.pending(database) == 0 and now == head
                quiet, head = (quiet + 1 if is_quiet else 0), now
                assert time.monotonic() < deadline, "requests stay without an outcome"
                time.sleep(0.25)

    async def _until_followed(self, before: reading.Before, viewers: Sequence[Viewer]) -> None:
        """Until each follower has the last notification that it may see. One that never gets it is
        left to the checker."""
        with self.set_up.database() as database:
            log = reading.log(database, before.head.position)
        followers = [*viewers, self.xmpp]
        there = {one.number for one in log}
        deadline = time.monotonic() + FOLLOW_SECONDS
        while time.monotonic() < deadline:
            behind = [
                one
                for one in followers
                if one.last < max((e.number for e in log if one.followed().may_see(e)), default=0)
                # Of a log that a backup has replaced.
                or (one.last > before.head.number and one.last not in there)
            ]
            if not behind:
                return
            await asyncio.sleep(0.1)

    def _check(
        self,
        fault: Fault,
        before: reading.Before,
        operations: Sequence[Operation],
        viewers: Sequence[Viewer],
    ) -> Verdict:
        with self.set_up.database() as database:
            verdict = check(
                History(
                    operations=operations,
                    stored=reading.stored(database, before),
                    log=reading.log(database, before.head.position),
                    head_before=before.head.position,
                    before=before.sessions,
                    final=reading.final(self.set_up.url, self.keys),
                    intervals=reading.intervals(database, before),
                    had_interval=before.open_intervals.keys(),
                    followers=[one.followed() for one in (*viewers, self.xmpp)],
                    earlier=self._unknown,
                    by_the_clock=fault.by_the_clock,
                    restored=self.set_up.restored,
                )
            )
        if self.xmpp.failure:
            verdict.add(Kind.OUT_OF_ORDER, f"by XMPP: {self.xmpp.failure}")
        self._unknown |= {one.request_id for one in operations if one.status is None}
        return verdict


async def _accepted(load: Load, count: int, since: float = 0) -> None:
    """Until so many requests that were sent since then have been accepted."""
    deadline = time.monotonic() + BACK_SECONDS
    while sum(one.invoked > since for one in load.accepted()) < count:
        assert time.monotonic() < deadline, "no requests are accepted"
        await asyncio.sleep(0.05)


def _longest(times: Iterable[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(sorted(times))), default=0.0)


def _of_503(operations: Sequence[Operation], broken: float) -> dict[str, float | None]:
    refused = [one for one in operations if one.status == OUT_OF_SERVICE and one.answered > broken]
    return {
        "until_503": min((one.answered - broken for one in refused), default=None),
        "slowest_503": max((one.answered - one.invoked for one in refused), default=None),
    }
