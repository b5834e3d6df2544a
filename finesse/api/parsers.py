"""Reads a request's XML where djangorestframework-xml plugs into the framework.

The package's own `parse` is replaced: it accepts a DOCTYPE, recurses into deep nesting and turns
"0010" into 10.
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework_xml.parsers import XMLParser

from finesse.api.errors import BAD_REQUEST
from finesse.api.xml import Tree, parse


class FinesseXMLParser(XMLParser):  # type: ignore[misc]
    """Reads `request.data` as `{root: …}`, at most FINESSE_MAX_BODY_BYTES bytes."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Tree]:
        """Raises FinesseError `Bad Request`."""
        request = (parser_context or {})["request"]
        body = _read(stream, request.META.get("CONTENT_LENGTH") or "0")
        return parse(body, _charset(media_type or ""))


def _read(stream: IO[bytes], content_length: str) -> bytes:
    limit = settings.FINESSE_MAX_BODY_BYTES
    if not content_length.isdecimal() or int(content_length) > limit:
        raise BAD_REQUEST(reason=f"The body must not exceed {limit} bytes")
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BAD_REQUEST(reason=f"The body must not exceed {limit} bytes")
    if len(body) < int(content_length):
        # A document that was cut off may still be well-formed, and mean something else.
        raise BAD_REQUEST(reason="The body is shorter than its Content-Length")
    return body


def _charset(content_type: str) -> str:
    """The charset parameter; empty if there is none."""
    _, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", parameters, re.IGNORECASE)
    return charset[1] if charset else ""
