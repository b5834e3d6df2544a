"""How a line of the log is written, as text for people or as JSON for programs.

An outage and a client's fault have a reason, no traceback. A line of a request names it.
"""

import json
import logging
from datetime import UTC, datetime
from types import TracebackType

from amqp.exceptions import AMQPError
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from finesse import log_context
from finesse.process_name import process_name
from finesse.redaction import RedactingFormatter, redact

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

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The line, and at its end what it is about: `… (requestId r-1, user 1234, mrd 5001)`."""
        line = super().formatMessage(record)
        known = _fields_of(record)
        if not known:
            return line
        return f"{line} ({', '.join(f'{name} {value}' for name, value in known.items())})"


class JSONFormatter(LineFormatter):
    """One object in one line: time (ISO 8601, UTC), level, logger, process, message, what the line
    is about, and `error` with the reason or the traceback. Secrets are kept out of each value, as
    JSON would write some of their characters differently."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": process_name(),
            "message": redact(record.getMessage()),
        }
        for name, value in _fields_of(record).items():
            line[name] = redact(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = redact(self.formatException(record.exc_info).strip())
        if record.stack_info:
            line["stack"] = redact(self.formatStack(record.stack_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    # A sum of lines is about none of their requests.
    return {} if getattr(record, "is_sum", False) else log_context.fields()
