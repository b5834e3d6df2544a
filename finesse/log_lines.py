"""How a line of the log is written: an outage has a reason, and no traceback."""

from types import TracebackType

from amqp.exceptions import AMQPError
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from finesse.redaction import RedactingFormatter

OUTAGES = (
    *(OperationalError, InterfaceError, RedisError, AMQPError, BrokerError),
    *(ConnectionError, TimeoutError),
)
"""Raised where a dependency (database, Redis, broker) or a peer does not answer."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(RedactingFormatter):
    """Also keeps secrets out of the line."""

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (logging's name)
        """The traceback; of an outage its reason alone, in one line.

        Everything that needs the dependency fails, wherever that is.
        """
        error = ei[1]
        if not isinstance(error, OUTAGES):
            return super().formatException(ei)
        return f"  {type(error).__name__}: {' '.join(str(error).split())}"
