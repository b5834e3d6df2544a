"""Writes a response's XML where djangorestframework-xml plugs into the framework.

The package's class stays the plug; its rendering is replaced: it prints `True`, `root` and
`list-item`, and fails at a control character.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework_xml.renderers import XMLRenderer

from finesse.api.xml import render


class FinesseXMLRenderer(XMLRenderer):  # type: ignore[misc]
    """Writes `Response({root: …})`; no data is an empty body, which DRF sends without a type."""

    media_type = "application/xml"

    def render(
        self,
        data: Mapping[str, Any] | None,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return f"{render(data, pretty=True)}\n".encode() if data else b""
