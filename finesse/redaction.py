"""Passwords, cookies and tokens are taken out of whatever is written to the log.

This is the second net. The first is that libraries which print what they send and receive are not
heard at DEBUG (LOGGING in the settings), and that our own lines name no secret.
"""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

REDACTED = "[redacted]"
SHORTEST_SECRET = 6
SHORTEST_WORD = 12
"""Characters. Shorter values, and words as `postgres`, stand in log lines for other things, too."""

_PATTERNS = (
    # A header's credentials, as HTTP writes them and as Python shows a header: (b'x', b'y').
    r"""authorization['"]?\s*[:=,]?\s*b?['"]?\s*(?:basic|bearer|digest|negotiate)?\s+?(?P<a>[^\s'",]+)""",
    r"""\b(?:Basic|Bearer)\s+(?P<b>(?=[^\s'",]*[0-9=+/])[A-Za-z0-9+/=._~-]{8,})""",
    r"""\bcookie['"]?\s*[:,]\s*b?['"]?(?P<c>[^'"\r\n]+)""",
    r"""(?:sessionid|csrftoken|csrfmiddlewaretoken)['"]?\s*[=:,]\s*b?['"]?(?P<d>[^\s'";,&]+)""",
    r"""passw(?:or)?d['"]?\s*[=:]\s*b?(?P<e>'[^']*'|"[^"]*"|[^\s'";,&]+)""",
    # Users and passwords in URLs. Those that a library has starred out already stay.
    r"""://[^\s/:@]*:(?!\*+@)(?P<f>[^\s/@]+)@""",
    # SASL.
    r"""<(?:\w+:)?(?:auth|response|challenge|success)\b[^<>]*>(?P<g>[^<\s]+)""",
)
_LOOKS_SECRET = re.compile("|".join(_PATTERNS), re.IGNORECASE)


class RedactingFormatter(logging.Formatter):
    """A formatter, since only it sees the line whole, with its arguments and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(text: str) -> str:
    for secret in _own_secrets():
        text = text.replace(secret, REDACTED)
    return _LOOKS_SECRET.sub(_without_secret, text)


def _without_secret(match: re.Match[str]) -> str:
    name = match.lastgroup
    assert name
    begin, end = (position - match.start() for position in match.span(name))
    return match[0][:begin] + REDACTED + match[0][end:]


def _own_secrets() -> tuple[str, ...]:
    """What the settings hold now: `run` sets some of them after the start."""
    return _secrets_of(
        settings.SECRET_KEY,
        settings.FINESSE_XMPP_SECRET,
        settings.FINESSE_METRICS_TOKEN,
        str(settings.DATABASES["default"].get("PASSWORD", "")),
        settings.REDIS_URL,
        settings.CELERY_BROKER_URL,
    )


@lru_cache(maxsize=16)
def _secrets_of(*values: str) -> tuple[str, ...]:
    """Secrets and the passwords in URLs, the longest first, so that none is left in part."""
    found = {part for value in values for part in _parts(value)}
    return tuple(sorted(filter(_is_distinct, found), key=len, reverse=True))


def _is_distinct(secret: str) -> bool:
    return len(secret) >= (SHORTEST_WORD if secret.isalpha() else SHORTEST_SECRET)


def _parts(value: str) -> Iterator[str]:
    if "://" not in value:
        yield value
        return
    parts = urlsplit(value)
    if parts.password:
        yield from (parts.password, unquote(parts.password))
    for name, text in parse_qsl(parts.query):
        if name == "password":
            yield text


def quiet_level(level: str) -> str:
    """The level of libraries that print what they send and receive: never below INFO."""
    return level if logging.getLevelNamesMapping()[level] >= logging.INFO else "INFO"
