"""Who reads the log through a socket, and what of it they may see."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model

from finesse.notifications.nodes import nodes_of


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One user as seen by the sockets; asked for anew whenever users or teams change."""

    login_id: str
    watches: frozenset[str] | None
    """The users, by login id, whose nodes this one may see; None is everybody."""
    credentials: str
    """Changes with the password: a socket opened with an old one ends."""

    @cached_property
    def nodes(self) -> frozenset[str] | None:
        """The nodes of those users; None is every node."""
        if self.watches is None:
            return None
        return frozenset(node for login_id in self.watches for node in nodes_of(login_id))


async def readers_of(login_ids: Collection[str]) -> dict[str, Reader]:
    """The readers that these users are now; who may not read is not there."""
    readers: dict[str, Reader]
    readers = await database_sync_to_async(get_user_model().objects.readers)(login_ids)
    return readers
