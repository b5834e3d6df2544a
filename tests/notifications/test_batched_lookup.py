"""Batched lookups: as few queries as possible, and no answer is older than its lookup."""

import asyncio
from collections.abc import Collection

import pytest

from finesse.notifications.batched_lookup import BatchedLookup


class Oracle:
    """Answers each query when the test lets it; knows all numbers but 0."""

    def __init__(self) -> None:
        self.asked: list[set[int]] = []
        self.may_answer = asyncio.Semaphore(0)

    async def ask(self, keys: Collection[int]) -> dict[int, str]:
        self.asked.append(set(keys))
        number = len(self.asked)
        await self.may_answer.acquire()
        if -1 in keys:
            raise ConnectionError("away")
        return {key: f"{key} of question {number}" for key in keys if key}


@pytest.fixture
async def oracle() -> Oracle:
    return Oracle()


async def some_turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_lookups_during_a_query_are_answered_by_the_next_query(oracle: Oracle) -> None:
    lookup = BatchedLookup(oracle.ask)
    first = [asyncio.create_task(lookup.get(key)) for key in (1, 2, 1)]
    await some_turns()
    later = [asyncio.create_task(lookup.get(key)) for key in (1, 3)]
    await some_turns()
    more = asyncio.create_task(lookup.get(0))
    await some_turns()
    assert oracle.asked == [{1, 2}]
    oracle.may_answer.release()
    oracle.may_answer.release()
    answers = await asyncio.gather(*first, *later, more)
    assert oracle.asked == [{1, 2}, {0, 1, 3}]
    assert answers == [
        "1 of question 1",
        "2 of question 1",
        "1 of question 1",
        # Asked after the first question, so answered by the second.
        "1 of question 2",
        "3 of question 2",
        None,
    ]


async def test_a_failed_query_fails_for_its_own_lookups(oracle: Oracle) -> None:
    lookup = BatchedLookup(oracle.ask)
    asked = [asyncio.create_task(lookup.get(key)) for key in (1, -1)]
    oracle.may_answer.release()
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in failures] == [ConnectionError, ConnectionError]
    oracle.may_answer.release()
    assert await lookup.get(1) == "1 of question 2"


async def test_a_cancelled_lookup_leaves_the_answer_to_the_others(oracle: Oracle) -> None:
    lookup = BatchedLookup(oracle.ask)
    leaving, staying = (asyncio.create_task(lookup.get(key)) for key in (1, 2))
    await some_turns()
    leaving.cancel()
    await some_turns()
    oracle.may_answer.release()
    assert await staying == "2 of question 1"
