"""What a client is answered: a document, an error of the table, or nothing but a status."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework import status

from finesse.api.errors import as_finesse_error
from finesse.api.renderers import FinesseXMLRenderer

_RENDERER = FinesseXMLRenderer()
_CONTENT_TYPE = f"{_RENDERER.media_type}; charset={_RENDERER.charset}"


class Answer(HttpResponse):
    """A document as XML, or an empty body.

    DRF's own response is a template's, made before it is known what it says and written when a
    view has returned it: twice the CPU, and nobody here looks at it in between.
    """

    def __init__(
        self,
        document: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The document is `{root: …}`, of what `render` knows."""
        body = _RENDERER.render(document).encode()
        super().__init__(
            body,
            status=status,
            headers={
                "Content-Type": _CONTENT_TYPE,
                # Chunked answers are more bytes, and more than some clients understand.
                "Content-Length": str(len(body)),
                # As the pages' middleware has it; what else that says is about pages.
                "X-Content-Type-Options": "nosniff",
                **(headers or {}),
            },
            charset="utf-8",
        )
        if not body:
            del self["Content-Type"]


def exception_handler(exc: Exception, context: dict[str, Any]) -> Answer:
    """Answer every exception with a row of the table, in the order of the protocol's bodies.

    A dependency that fails under a request is the service being out of service; anything
    unforeseen is logged with its trace and told to the client without it.
    """
    error = as_finesse_error(exc)
    answer = Answer(
        error.body(media=context["kwargs"].get("mrd_id")),
        status=error.status_code,
        headers=error.headers,
    )
    if error.status_code == status.HTTP_401_UNAUTHORIZED:
        challenge = context["request"].authenticators[0].authenticate_header(context["request"])
        answer["WWW-Authenticate"] = challenge
    return answer
