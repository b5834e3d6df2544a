"""Errors as responses, and the headers that every response of the API has."""

import re
from collections.abc import Iterable, Mapping
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, HttpResponse
from rest_framework import status
from rest_framework.response import Response

from finesse.api.errors import FinesseError, as_finesse_error
from finesse.api.renderers import FinesseXMLRenderer
from finesse.api.xml import render_list

_REQUEST_ID = re.compile(r"[\x20-\x7e]{1,255}")
# As Django's SecurityMiddleware sets it for pages; its other headers are for pages only.
COMMON_HEADERS = {"X-Content-Type-Options": "nosniff"}


def add_content_length(response: HttpResponse) -> None:
    """Call it once the response is rendered; without a length it would be sent in chunks.

    Chunks are more bytes, and some clients do not understand them.
    """
    response["Content-Length"] = str(len(response.content))


def long_list(root: str, name: str, elements: Iterable[Mapping[str, Any]]) -> FileResponse:
    """The answer `{root: {name: [elements]}}`, for lists that are too long to have in memory.

    It is put together in a file without a name, before the answer begins: so it has a length, and
    what fails on the way is answered as an error.
    """
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    try:
        for text in render_list(root, name, elements):
            file.write(text.encode())
        file.write(b"\n")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    renderer = FinesseXMLRenderer()
    return FileResponse(file, content_type=f"{renderer.media_type}; charset={renderer.charset}")


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer every exception with a row of the error table.

    A dependency that fails during a request means that the service is out of service. Unexpected
    errors are logged with their traceback, which the client does not get.
    """
    error = as_finesse_error(exc)
    named = context["kwargs"]
    response = Response(
        # Of a user's Media; an MRD by itself is none.
        error.body(media=named.get("mrd_id") if "user_id" in named else None),
        status=error.status_code,
        headers=error.headers,
    )
    if error.status_code == status.HTTP_401_UNAUTHORIZED:
        challenge = context["request"].authenticators[0].authenticate_header(context["request"])
        response["WWW-Authenticate"] = challenge
    return response


def accepted_request_id(given: str) -> str:
    """The caller's requestId as it was sent; empty unless it is printable ASCII of 255 at most."""
    return given if _REQUEST_ID.fullmatch(given) else ""


def echo_of(given: str, method: str | None) -> dict[str, str]:
    """The header with the caller's requestId: "not applicable to GET" [guide 12.5 p22]."""
    if method in {"GET", "HEAD"} or not (request_id := accepted_request_id(given)):
        return {}
    return {"requestId": request_id}


def response_without_view(
    error: FinesseError, *, method: str | None, request_id: str
) -> HttpResponse:
    """For requests that reach no view, and therefore no choice of renderers: always XML.

    `request_id` is the header of the request as it came.
    """
    renderer = FinesseXMLRenderer()
    response = HttpResponse(
        renderer.render(error.body(media=None)),
        status=error.status_code,
        content_type=f"{renderer.media_type}; charset={renderer.charset}",
        headers=COMMON_HEADERS | error.headers | echo_of(request_id, method),
    )
    add_content_length(response)
    return response
