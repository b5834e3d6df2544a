"""Counts what happens with every request, with as little work as that needs.

A number of a process is written to its file under a lock. An answer counts in three of them, which
was felt in each (docs/decisions/server.md, 213). So a request only notes its answer, and the watch
of its process counts all of them five times a second, as `/metrics` does when it is read. A process
that is killed loses what it has noted since.
"""

import atexit
import os
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from http.client import INTERNAL_SERVER_ERROR
from time import perf_counter
from typing import Any

from finesse.metrics import counters

API = "api"
PAGE = "page"

_answer_seconds = cache(counters.answer_seconds.labels)
_apply_seconds = cache(counters.apply_seconds.labels)
_publish_seconds = cache(counters.publish_seconds.labels)


@cache
def _answers(kind: str, status: int) -> Any:
    # From 0 on: of a series that appears with its first error, no rate is known.
    counters.answers.labels(kind, INTERNAL_SERVER_ERROR)
    return counters.answers.labels(kind, status)


_noted: deque[tuple[str, int, float]] = deque()
"""Answers that are not counted yet. Threads may append to it and take from it without a lock."""
# A forked child would count its parent's answers once more.
os.register_at_fork(after_in_child=_noted.clear)


def note_answer(kind: str, status: int, seconds: float) -> None:
    """An answer of this status, so long after its request was read."""
    _noted.append((kind, status, seconds))


@atexit.register
def count_noted() -> None:
    """Count all answers that were noted."""
    answers: Counter[tuple[str, int]] = Counter()
    seconds_of = defaultdict(list)
    # Those of now alone: others come faster than they could be counted.
    for _ in range(len(_noted)):
        try:
            kind, status, seconds = _noted.popleft()
        except IndexError:
            # Another thread counts, too.
            break
        answers[kind, status] += 1
        seconds_of[kind].append(seconds)
    for (kind, status), number in answers.items():
        _answers(kind, status).inc(number)
    for kind, all_seconds in seconds_of.items():
        _observe(_answer_seconds(kind), all_seconds)


def count_applied(subject: str, seconds: Sequence[float]) -> None:
    """Outcomes that were committed so long after their requests were accepted."""
    # The clocks of two machines may differ.
    _observe(_apply_seconds(subject), [max(0.0, one) for one in seconds])


def _observe(histogram: Any, values: Sequence[float]) -> None:
    """All of them with one write for each bucket; prometheus-client would write two for each."""
    histogram._sum.inc(sum(values))
    buckets = Counter(bisect_left(histogram._upper_bounds, one) for one in values)
    for bucket, number in buckets.items():
        histogram._buckets[bucket].inc(number)


def count_published(transport: str, seconds: float) -> None:
    """A batch that a transport has taken, so long after its oldest notification was written."""
    _publish_seconds(transport).observe(max(0.0, seconds))


@contextmanager
def task(name: str) -> Iterator[None]:
    """Count the context as a task of this name, and whether it failed."""
    begin = perf_counter()
    try:
        yield
    except BaseException:
        counters.task_failures.labels(name).inc()
        raise
    finally:
        counters.task_seconds.labels(name).observe(perf_counter() - begin)
