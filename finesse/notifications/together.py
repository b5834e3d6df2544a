"""Asking for many at once, where each asks for one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Who asks while a question is under way becomes part of the next one.

    Of one event loop. Alone, one waits no longer than by oneself; a thousand clients that come back
    at once cost a few queries and not thousands.
    """

    def __init__(self, ask: Callable[[Collection[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._ask = ask
        self._one_by_one = asyncio.Lock()
        self._keys: set[Key] = set()
        self._next: asyncio.Task[Mapping[Key, Value]] | None = None

    async def get(self, key: Key) -> Value | None:
        """The value, as it is now or later; None if there is none. Raises what asking raises."""
        self._keys.add(key)
        if self._next is None:
            self._next = asyncio.create_task(self._answer())
        # Who is cancelled does not take the answer away from the others.
        return (await asyncio.shield(self._next)).get(key)

    async def _answer(self) -> Mapping[Key, Value]:
        async with self._one_by_one:
            keys, self._keys, self._next = self._keys, set(), None
            return await self._ask(keys)
