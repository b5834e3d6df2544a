"""Reads a request's XML where djangorestframework-xml plugs into the framework.

The package's class stays the plug; its parsing is replaced: it accepts a DOCTYPE, recurses into
deep nesting and turns "0010" into 10.
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework_xml.parsers import XMLParser

from finesse.api.errors import BAD_REQUEST
from finesse.api.xml import Tree, parse


class FinesseXMLParser(XMLParser):  # type: ignore[misc]
    """Reads `request.data` as `{root: …}`, never more bytes than a document may have."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Tree]:
        request = (parser_context or {})["request"]
        limit = settings.FINESSE_MAX_BODY_BYTES
        _, _, parameters = (media_type or "").partition(";")
        charset = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", parameters, re.IGNORECASE)
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal() or int(announced) > limit:
            raise BAD_REQUEST(reason=f"The body must not exceed {limit} bytes")
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BAD_REQUEST(reason=f"The body must not exceed {limit} bytes")
        if len(body) < int(announced):
            # What is well-formed without its end may mean something else.
            raise BAD_REQUEST(reason="The body is shorter than its Content-Length")
        return parse(body, charset[1] if charset else "")
