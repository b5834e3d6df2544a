"""The users behind sockets, and the notifications that they may see."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils import timezone

from finesse.db.off_loop import off_loop
from finesse.notifications.models import Subscription
from finesse.notifications.nodes import (
    SYSTEM_INFO,
    empty_nodes_of,
    nodes_of,
    published_as,
    reason_codes_of,
    team_of,
    viewers_nodes_of,
)
from finesse.users.access import Access, access_of
from finesse.users.models import BrowserSession, User
from finesse.users.sessions import note_used

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, kw_only=True)
class Reader(Access):
    """A user with a socket; looked up again whenever users or teams change."""

    session: str = ""
    """Key of the browser's session; the socket ends when the session does. Empty for programs."""
    resource: str | None = None
    """Resource of an XMPP client, which gets what it is subscribed to. None for viewers' sockets,
    which get all that the user may see."""
    subscriptions: frozenset[str] = frozenset()
    """Nodes that the XMPP client, or its user for all clients, has subscribed to explicitly."""

    @cached_property
    def nodes(self) -> frozenset[str] | None:
        """The nodes that may be seen; None stands for every node except those of teams."""
        if self.resource is not None:
            asked_for = filter(self.may_subscribe, self.subscriptions)
            return frozenset([SYSTEM_INFO, *nodes_of(self.login_id), *asked_for])
        if self.watches is None:
            return None
        of_users = (node for login_id in self.watches for node in viewers_nodes_of(login_id))
        return frozenset([SYSTEM_INFO, *of_users, *reason_codes_of(self.of_reason_codes)])

    @property
    def of_reason_codes(self) -> frozenset[int]:
        """The teams whose reason codes concern the user: the own one and those supervised."""
        return self.teams if self.team is None else self.teams | {self.team}

    def may_see(self, node: str) -> bool:
        if self.nodes is None:
            # A team's node repeats what its users' own nodes say, for clients that subscribe to it.
            return team_of(node) is None
        return node in self.nodes

    def may_subscribe(self, node: str) -> bool:
        """True for the user's own nodes, SystemInfo, and the teams that the user supervises. An
        administrator supervises every team."""
        if (team := team_of(node)) is not None:
            return self.watches is None or team in self.teams
        return self.has_automatically(node)

    def has_automatically(self, node: str) -> bool:
        """Whether the user's XMPP clients are subscribed to the node without a request."""
        return published_as(node) in self.automatic

    @property
    def automatic(self) -> tuple[str, ...]:
        """These nodes, each by one name."""
        return (*nodes_of(self.login_id), *empty_nodes_of(self.login_id), SYSTEM_INFO)


def readers_of(login_ids: Collection[str]) -> dict[str, Reader]:
    """Readers by login id, without the users that may see nothing."""
    return {login_id: Reader(**vars(access)) for login_id, access in access_of(login_ids).items()}


async def renewed(readers: Collection[Reader]) -> dict[Reader, Reader]:
    """What each reader may see now, without the readers whose access has ended."""
    found: dict[Reader, Reader] = await off_loop(_renewed)(readers)
    return found


def _renewed(readers: Collection[Reader]) -> dict[Reader, Reader]:
    users = readers_of({reader.login_id for reader in readers})
    sessions = valid_sessions({reader.session for reader in readers if reader.session})
    subscriptions = _subscriptions(readers)
    return {
        reader: replace(
            now,
            session=reader.session,
            resource=reader.resource,
            subscriptions=frozenset(subscriptions[reader.login_id, reader.resource]),
        )
        for reader in readers
        if (now := users.get(reader.login_id))
        and now.credentials == reader.credentials
        and (not reader.session or reader.session in sessions)
    }


def valid_sessions(keys: Collection[str]) -> set[str]:
    """Those of these browser sessions that exist and have not expired."""
    in_time = BrowserSession.objects.filter(pk__in=keys, expire_date__gt=timezone.now())
    return set(in_time.values_list("pk", flat=True)) if keys else set()


def still_signed_in(readers: Collection[Reader]) -> set[Reader]:
    """Those of these browsers' readers whose session has not ended, and whose user is active.

    Their sessions are noted as seen now and then: a viewer that is open is in use.
    """
    sessions = valid_sessions({reader.session for reader in readers})
    users = User.objects.filter(pk__in={reader.login_id for reader in readers}, is_active=True)
    active = set(users.values_list("pk", flat=True))
    note_used(sessions)
    return {one for one in readers if one.session in sessions and one.login_id in active}


def _subscriptions(readers: Collection[Reader]) -> defaultdict[tuple[str, str | None], set[str]]:
    """Nodes by (login id, resource): those of the client, and those for all clients of its user."""
    found: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    clients: defaultdict[str, set[str]] = defaultdict(set)
    for reader in readers:
        if reader.resource is not None:
            clients[reader.login_id].add(reader.resource)
    if clients:
        for one in Subscription.objects.filter(login_id__in=clients):
            resources = clients[one.login_id]
            for resource in resources & {one.resource} if one.resource else resources:
                found[one.login_id, resource].add(one.node)
    return found


def claimed(user: "AbstractBaseUser", session: str = "", resource: str | None = None) -> Reader:
    """A user who has just signed in. What it may see is looked up when it subscribes."""
    return Reader(
        login_id=user.pk,
        watches=frozenset(),
        credentials=user.get_session_auth_hash(),
        session=session,
        resource=resource,
    )
