"""Which parser reads a request, and which renderer writes its response."""

from contextlib import suppress
from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from finesse.api.errors import BAD_REQUEST


class FinesseContentNegotiation(DefaultContentNegotiation):
    """DRF's own, with two differences that clients of Finesse need.

    - The content type must name XML (`Application/XML`, `text/xml`, any case and parameters) or be
      missing. DRF compares types case-sensitively and does not know `text/xml`.
    - A client that accepts none of the view's formats gets the first of them, not a 406. A view
      with only one renderer therefore always answers with it, whatever the client accepts.
    """

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        is_xml = media_type in {"application/xml", "text/xml"} or media_type.endswith("+xml")
        # A page of another origin may POST without a type: the browser adds credentials that it
        # remembers, and sends a preflight request only for other methods or types.
        if not is_xml and (media_type or request.method == "POST"):
            raise BAD_REQUEST(reason="The Content-Type must be application/xml")
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        if len(renderers) > 1:
            with suppress(NotAcceptable, Http404):
                renderer, media_type = super().select_renderer(request, renderers, format_suffix)
                return renderer, media_type
        return renderers[0], renderers[0].media_type
