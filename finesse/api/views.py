"""The base class of the API's views, and the view of paths without a resource."""

from typing import Any, NoReturn

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finesse import traces
from finesse.api.errors import BAD_REQUEST, METHOD_NOT_ALLOWED, NOT_FOUND, OUT_OF_SERVICE
from finesse.api.responses import (
    COMMON_HEADERS,
    accepted_request_id,
    add_content_length,
    echo_of,
)
from finesse.api.xml import Children
from finesse.heartbeat import in_service


def request_id_of(request: HttpRequest | Request) -> str:
    """The caller's requestId; empty if it is missing or not printable ASCII of 255 at most."""
    return accepted_request_id(request.META.get("HTTP_REQUESTID", ""))


class FinesseView(APIView):
    """Service check, authentication, then the handler. Every response but a GET's has requestId."""

    needs_service = True

    @property
    def default_response_headers(self) -> dict[str, str]:
        """DRF's, but `Allow` only in the answers to OPTIONS and to methods that are not allowed."""
        vary = {"Vary": "Accept"} if len(self.renderer_classes) > 1 else {}
        return vary | COMMON_HEADERS

    def perform_authentication(self, request: Request) -> None:
        traces.begin(request.META)
        # First of all checks, and for all callers alike [Client Requests].
        if self.needs_service and not in_service():
            raise OUT_OF_SERVICE()
        super().perform_authentication(request)
        traces.mark(traces.AUTHENTICATE)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # No id contains a NUL, and PostgreSQL cannot compare text with one.
        if any("\0" in value for value in kwargs.values()):
            raise NOT_FOUND(resource=request.path)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        given = request.META.get("HTTP_REQUESTID", "")
        for name, value in echo_of(given, request.method).items():
            response[name] = value
        if isinstance(response, Response):
            response.add_post_render_callback(add_content_length)
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        allow = ", ".join(self.allowed_methods)
        raise METHOD_NOT_ALLOWED(method=str(request.method), headers={"Allow": allow})

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return Response(headers={"Allow": ", ".join(self.allowed_methods)})

    def document(self, root: str) -> Children:
        """The children of the body's root element. Raises FinesseError if it is not `root`."""
        body: Any = self.request.data
        if list(body) != [root]:
            raise BAD_REQUEST(reason=f"The body must be a <{root}> document")
        children = body[root]
        return children if isinstance(children, Children) else Children()


class UnknownResource(FinesseView):
    """Every path under /finesse/api without a resource: 404 with the protocol's document."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NOT_FOUND(resource=request.path)
