"""Who reads the log through a socket, and what of it they may see."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone

from finesse.notifications.nodes import SYSTEM_INFO, nodes_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One user as seen by the sockets; asked for anew whenever users or teams change."""

    login_id: str
    watches: frozenset[str] | None
    """The users, by login id, whose nodes this one may see; None is everybody."""
    credentials: str
    """Changes with the password: a socket opened with an old one ends."""
    session: str = ""
    """Key of the browser's session, with which the socket ends; empty for programs."""

    @cached_property
    def nodes(self) -> frozenset[str] | None:
        """The nodes of those users, and the service's; None is every node."""
        if self.watches is None:
            return None
        of_users = (node for login_id in self.watches for node in nodes_of(login_id))
        return frozenset([SYSTEM_INFO, *of_users])

    def may_see(self, node: str) -> bool:
        return self.nodes is None or node in self.nodes


async def renewed(readers: Collection[Reader]) -> dict[Reader, Reader]:
    """What each reader may see now; a reader whose access has ended is not there."""
    found: dict[Reader, Reader] = await database_sync_to_async(_renewed)(readers)
    return found


def _renewed(readers: Collection[Reader]) -> dict[Reader, Reader]:
    users = get_user_model().objects.readers({reader.login_id for reader in readers})
    keys = {reader.session for reader in readers if reader.session}
    in_time = Session.objects.filter(pk__in=keys, expire_date__gt=timezone.now())
    signed_in = set(in_time.values_list("pk", flat=True)) if keys else set()
    return {
        reader: replace(now, session=reader.session)
        for reader in readers
        if (now := users.get(reader.login_id))
        and now.credentials == reader.credentials
        and (not reader.session or reader.session in signed_in)
    }


async def reader_of(user: "AbstractBaseUser", session: str = "") -> Reader | None:
    """What this user may see, or None if its access has ended since the user was read."""
    claimed = Reader(
        login_id=user.pk,
        watches=frozenset(),
        credentials=user.get_session_auth_hash(),
        session=session,
    )
    return (await renewed([claimed])).get(claimed)
