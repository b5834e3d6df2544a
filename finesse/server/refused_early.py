"""What the API answers before any view: that it is out of service.

The API's own middlewares see it, so that a page of an allowed other origin can read it (CORS), and
that its preflight is answered all the same.
"""

from collections.abc import Callable, Mapping, MutableMapping
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from finesse.api.errors import OUT_OF_SERVICE
from finesse.api.responses import response_without_view


def with_api_middlewares(get_response: Callable[..., Any]) -> Any:
    """Django's chain for the API: its middlewares around `get_response`."""
    chain: Any = convert_exception_to_response(get_response)
    for name in reversed(settings.FINESSE_API_MIDDLEWARE):
        chain = convert_exception_to_response(import_string(name)(chain))
    return chain


def out_of_service(request: HttpRequest, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """503, with `headers` besides those that each answer has; the preflight of a page of an allowed
    origin is answered 200."""

    def answer(request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_REQUESTID", "")
        error = OUT_OF_SERVICE(headers=dict(headers or {}))
        return response_without_view(error, method=request.method, request_id=given)

    response: HttpResponse = with_api_middlewares(answer)(request)
    return response


def out_of_service_unread(
    scope: MutableMapping[str, Any], headers: Mapping[str, str]
) -> HttpResponse:
    """The same for a request whose body nobody reads."""
    return out_of_service(ASGIRequest(dict(scope), BytesIO()), headers)
