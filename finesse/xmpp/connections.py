"""Counts the XMPP sockets of this process, so that no user and no address can take all of them."""

import asyncio
from collections import Counter
from typing import Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.conf import settings
from slixmpp.jid import JID

from finesse.client_networks import origin_of


class Client(Protocol):
    """A connected client, as its user's other clients see it."""

    async def replace(self) -> None:
        """Close the connection: another client of the user has taken its address."""
        ...


class TooManyError(Exception):
    """The user or the address already has as many connections as it may have."""


class Connections:
    """The connections of one event loop."""

    _of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Connections]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._strangers: Counter[str] = Counter()
        """Connections that have not signed in yet, by client network."""
        self._of_users: Counter[str] = Counter()
        self._clients: dict[str, Client] = {}
        """By full JID."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By login id of the connected users."""

    @classmethod
    def here(cls) -> "Connections":
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def admit(self, address: str) -> "Admission":
        """A place for a connection that has not signed in yet. Raises TooManyError."""
        address = origin_of(address)
        if self._strangers[address] >= settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS:
            raise TooManyError(address)
        return Admission(self, address)


class Admission:
    """The place of one connection; it counts for its address until it counts for its user."""

    def __init__(self, connections: Connections, address: str) -> None:
        self._connections = connections
        self._address: str | None = address
        self._user: str | None = None
        self._jid: str | None = None
        self._client: Client | None = None
        self.turn = asyncio.Lock()
        """Held while a request is answered. All clients of a user share it, so that a user with
        many clients has one request at a time answered."""
        connections._strangers[address] += 1

    def sign_in(self, login_id: str) -> None:
        """Count the connection for this user. Raises TooManyError."""
        of_users = self._connections._of_users
        if of_users[login_id] >= settings.FINESSE_XMPP_CONNECTIONS_PER_USER:
            raise TooManyError(login_id)
        self._leave_strangers()
        of_users[login_id] += 1
        self._user = login_id
        self.turn = self._connections._turns.setdefault(login_id, asyncio.Lock())

    def bind(self, jid: JID, client: Client) -> Client | None:
        """Take the address; returns the client that had it until now, which must be closed."""
        former = self._connections._clients.get(jid.full)
        self._connections._clients[jid.full] = client
        self._jid, self._client = jid.full, client
        return former

    def end(self) -> None:
        self._leave_strangers()
        if self._user is not None:
            _decrease(self._connections._of_users, self._user)
            self._user = None
        if self._jid is not None and self._connections._clients.get(self._jid) is self._client:
            del self._connections._clients[self._jid]

    def _leave_strangers(self) -> None:
        if self._address is not None:
            _decrease(self._connections._strangers, self._address)
            self._address = None


def _decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
