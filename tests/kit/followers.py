"""Writing to the log, and following it through the hub."""

import asyncio

from channels.db import database_sync_to_async
from django.db import transaction

from finesse.notifications import log, publisher
from finesse.notifications.follower import AccessChanged, Follower, LogRestored
from finesse.notifications.hub import Hub, Resume
from finesse.notifications.places import Place
from finesse.notifications.readers import Reader, readers_of

MEDIA = "/finesse/api/User/{}/Media"


@database_sync_to_async
def write(*users: str, publish: bool = True) -> list[int]:
    """One notification for each user named; the numbers that clients know them by."""
    with transaction.atomic():
        entries = [
            log.Entry(node=MEDIA.format(user), source=f"{MEDIA.format(user)}/5001", data={"x": "y"})
            for user in users
        ]
        written = log.append(log.lock(), entries, publish=False)
    if publish:
        publisher.publish_all()
    return [one.place.number for one in written]


@database_sync_to_async
def head() -> int:
    """The number of the newest notification."""
    return log.head().place.number


def position_of(number: int) -> int:
    return Place.of_number(number).position


@database_sync_to_async
def reader(login_id: str) -> Reader:
    return readers_of([login_id])[login_id]


async def take(follower: Follower, count: int) -> list[int]:
    seen: list[int] = []
    if count == 0:
        return seen
    async with asyncio.timeout(30):
        async for notification in follower:
            if isinstance(notification, AccessChanged):
                continue
            assert not isinstance(notification, LogRestored)
            seen.append(notification.place.number)
            if len(seen) == count:
                # What a client does not come back from taking counts as lost, and comes again.
                follower.place = notification.place
                break
    return seen


async def follow(hub: Hub, login_id: str, after: int | None = None) -> Follower:
    _, _, follower = await subscribe(hub, await reader(login_id), after)
    return follower


async def subscribe(
    hub: Hub, subscriber: Reader, after: int | None
) -> tuple[Resume, int, Follower]:
    """As a client does that knows numbers only."""
    place = None if after is None else Place.of_number(after)
    resume, here, follower = await hub.subscribe(subscriber, place)
    return resume, here.number, follower
