"""Looks many keys up by one query, for callers that ask for one key each."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BatchedLookup(Generic[Key, Value]):
    """Lookups that are made during a query are answered by the next query.

    A single lookup starts its query at once. A thousand clients that reconnect at the same time
    need a few queries instead of thousands. It belongs to one event loop.
    """

    def __init__(self, query: Callable[[Collection[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._query = query
        self._one_query_at_a_time = asyncio.Lock()
        self._keys: set[Key] = set()
        self._next: asyncio.Task[Mapping[Key, Value]] | None = None

    async def get(self, key: Key) -> Value | None:
        """The key's value as of now or later, None if it has none. Raises what the query raises."""
        self._keys.add(key)
        if self._next is None:
            self._next = asyncio.create_task(self._run_next_query())
        # A caller that is cancelled must not cancel the query of the others.
        return (await asyncio.shield(self._next)).get(key)

    async def _run_next_query(self) -> Mapping[Key, Value]:
        async with self._one_query_at_a_time:
            keys, self._keys, self._next = self._keys, set(), None
            return await self._query(keys)
