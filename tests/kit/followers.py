"""Writing to the log, and following it through the hub."""

import asyncio

from channels.db import database_sync_to_async
from django.db import transaction

from finesse.notifications import log, publisher
from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.hub import Hub
from finesse.notifications.readers import Reader, readers_of

MEDIA = "/finesse/api/User/{}/Media"


@database_sync_to_async
def write(*users: str, publish: bool = True) -> list[int]:
    """One notification for each user named; their positions."""
    with transaction.atomic():
        entries = [
            log.Entry(node=MEDIA.format(user), source=f"{MEDIA.format(user)}/5001", data={"x": "y"})
            for user in users
        ]
        written = log.append(log.lock(), entries, publish=False)
    if publish:
        publisher.publish_all()
    return [one.position for one in written]


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
            seen.append(notification.position)
            if len(seen) == count:
                break
    return seen


async def follow(hub: Hub, login_id: str, after: int | None = None) -> Follower:
    _, _, follower = await hub.subscribe(await reader(login_id), after)
    return follower
