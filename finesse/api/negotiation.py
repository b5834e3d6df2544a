"""Which parser and which renderer a request gets: the protocol has XML alone."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from finesse.api.errors import BAD_REQUEST


class AlwaysXML(BaseContentNegotiation):
    """XML in and XML out, whatever a client accepts: the protocol has nothing else.

    The content type must name XML (`Application/XML`, `text/xml`, any case and parameters) or
    be left out; DRF compares types case-sensitively, and knows nothing of `text/xml`.
    """

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        is_xml = media_type in {"application/xml", "text/xml"} or media_type.endswith("+xml")
        # A page of another origin may POST without a type unasked, with credentials that the
        # browser remembers; for every other method or type the browser asks first.
        if not is_xml and (media_type or request.method == "POST"):
            raise BAD_REQUEST(reason="The Content-Type must be application/xml")
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
