"""The bound XMPP clients of this process: the newest client keeps an address."""

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary

from slixmpp.jid import JID


class Client(Protocol):
    """A connected client, as its user's other clients see it."""

    async def replace(self) -> None:
        """Close the connection: another client of the user has taken its address."""
        ...


class Connections:
    """The bound clients of one event loop, by full JID."""

    _of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Connections]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    @classmethod
    def here(cls) -> "Connections":
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def bind(self, jid: JID, client: Client) -> Client | None:
        """Take the address; returns the client that had it until now, which must be closed."""
        former = self._clients.get(jid.full)
        self._clients[jid.full] = client
        return former

    def leave(self, jid: JID, client: Client) -> None:
        """Free the address, unless another client has taken it."""
        if self._clients.get(jid.full) is client:
            del self._clients[jid.full]
