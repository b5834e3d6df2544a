"""How a line of the log is written: an outage and a client's fault have a reason, no traceback."""

from types import TracebackType

from amqp.exceptions import AMQPError
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from finesse.redaction import RedactingFormatter

OUTAGES = (
    *(OperationalError, InterfaceError, RedisError, AMQPError, BrokerError),
    *(ConnectionError, TimeoutError),
)
"""Raised where a dependency (database, Redis, broker) or a peer does not answer. Whatever needs it
fails then, so where that happens says nothing."""
EXPLAINED = (*OUTAGES, SuspiciousOperation)
"""Errors whose text says all: these, and a client's request that Django refuses, as one with a Host
that is not allowed."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(RedactingFormatter):
    """Also keeps secrets out of the line."""

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (logging's name)
        """The traceback; of an error that is explained its text alone, in one line."""
        error = ei[1]
        if not isinstance(error, EXPLAINED):
            return super().formatException(ei)
        return f"  {type(error).__name__}: {' '.join(str(error).split())}"
