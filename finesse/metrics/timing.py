"""Counts what happens with every request, with as little work as that needs."""

from collections.abc import Iterator
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


def count_answer(kind: str, status: int, seconds: float) -> None:
    """An answer of this status, so long after its request was read."""
    _answers(kind, status).inc()
    _answer_seconds(kind).observe(seconds)


def count_applied(subject: str, seconds: float) -> None:
    """An outcome that was committed so long after its request was accepted."""
    # The clocks of two machines may differ.
    _apply_seconds(subject).observe(max(0.0, seconds))


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
