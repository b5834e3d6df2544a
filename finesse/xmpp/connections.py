"""Which XMPP sockets this process has, so that no user and no address can take all of them."""

import asyncio
from collections import Counter
from typing import Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.conf import settings
from slixmpp.jid import JID

from finesse.client_networks import origin_of


class Client(Protocol):
    """A connected client, as far as others meet it."""

    async def replace(self) -> None:
        """End: another client of the user has taken the address."""
        ...


class TooManyError(Exception):
    """The user or the address has as many connections as it may have."""


class Connections:
    """Of one event loop."""

    _of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Connections]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._strangers: Counter[str] = Counter()
        """Connections of each address that have not signed in yet."""
        self._of_users: Counter[str] = Counter()
        self._clients: dict[str, Client] = {}
        """By full address."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of each user who is connected."""

    @classmethod
    def here(cls) -> "Connections":
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def admit(self, address: str) -> "Admission":
        """A place for one who has not signed in. Raises TooManyError."""
        address = origin_of(address)
        if self._strangers[address] >= settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS:
            raise TooManyError(address)
        return Admission(self, address)


class Admission:
    """The place of one connection: first a stranger's, then a user's."""

    def __init__(self, connections: Connections, address: str) -> None:
        self._connections = connections
        self._address: str | None = address
        self._user: str | None = None
        self._jid: str | None = None
        self._client: Client | None = None
        self.turn = asyncio.Lock()
        """Held while a request is answered: all clients of a user together ask for one thing at a
        time, so that who has many of them is in nobody's way."""
        connections._strangers[address] += 1

    def sign_in(self, login_id: str) -> None:
        """Go on as this user. Raises TooManyError."""
        of_users = self._connections._of_users
        if of_users[login_id] >= settings.FINESSE_XMPP_CONNECTIONS_PER_USER:
            raise TooManyError(login_id)
        self._leave_strangers()
        of_users[login_id] += 1
        self._user = login_id
        self.turn = self._connections._turns.setdefault(login_id, asyncio.Lock())

    def bind(self, jid: JID, client: Client) -> Client | None:
        """Take the address; whoever had it until now, if somebody did, has to end."""
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
