"""Writes a response's XML where djangorestframework-xml plugs into the framework.

The package's own `render` is replaced: it writes `True`, `root` and `list-item`, and fails at
control characters.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework_xml.renderers import XMLRenderer

from finesse.api.xml import render


class FinesseXMLRenderer(XMLRenderer):  # type: ignore[misc]
    """Writes `Response({root: …})`. No data is an empty body, which DRF sends without a type."""

    media_type = "application/xml"

    def render(
        self,
        data: Mapping[str, Any] | None,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return f"{render(data, pretty=True)}\n".encode() if data else b""
