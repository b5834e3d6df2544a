"""Django's HTTP under WSGI and ASGI servers, for views that are all synchronous.

What Django has done before and after each request by receivers of its signals is done here, by the
thread that serves it: there is one database, and what a thread has of it is at hand. The receivers
look for it in asgiref's locals, which takes about a tenth of a GET; under an ASGI server they are
called in threads of their own, two hops for each request, and look at connections that nobody uses.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import cache, signals
from django.core.handlers import base
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, reset_queries
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver
from django.utils.module_loading import import_string

from finesse.api.errors import OUT_OF_SERVICE
from finesse.api.responses import response_without_view
from finesse.db.statements import Session

THREADS = 32
"""Requests served at once; each thread keeps its database connection."""

PATIENCE = 5
"""Seconds that a request waits for a free thread before it is answered 503."""


API = "/finesse/api/"
KNOWN = 10_000
"""Addresses of the API of which a process knows what is there, a kilobyte each: a client asks for
the same few again and again, and each pattern that is tried takes some time."""
LONGEST_KNOWN = 200
"""Characters of those addresses: longer ones are not worth the memory."""

_session = Session()


def take_over() -> None:
    """Take Django's own receivers off the signals of requests: `Handler` does what has to be done.

    It is for a process that serves by it. What else they do is nothing here: no cache has anything
    to close, requests do not bring URLconfs of their own, and queries are kept only by tests.
    """
    signals.request_started.disconnect(reset_queries)
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    signals.request_finished.disconnect(cache.close_caches)
    signals.request_finished.disconnect(base.reset_urlconf)


class Handler(base.BaseHandler):
    """What both kinds of servers call: housekeeping, and a shorter way for the API."""

    _middleware_chain: Any
    _get_response: Any

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._for_pages = self._middleware_chain
        self._for_api = convert_exception_to_response(self._get_response)
        for name in reversed(settings.FINESSE_API_MIDDLEWARE):
            self._for_api = convert_exception_to_response(import_string(name)(self._for_api))
        self._middleware_chain = self._by_path

    def _by_path(self, request: HttpRequest) -> Any:
        chain = self._for_api if request.path_info.startswith(API) else self._for_pages
        return chain(request)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return super().get_response(request)
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close this thread's connection if it has failed: the next request gets another."""
        _session.connection.close_if_unusable_or_obsolete()

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        path = request.path_info
        if not path.startswith(API) or len(path) > LONGEST_KNOWN:
            match: ResolverMatch = super().resolve_request(request)
            return match
        request.resolver_match = match = _resolved(path)
        return match


@lru_cache(maxsize=KNOWN)
def _resolved(path: str) -> ResolverMatch:
    match = get_resolver().resolve(path)
    # What did not match is for a page of errors, and would be most of what is kept.
    match.tried = None
    return match


class ThreadWSGIHandler(Handler, WSGIHandler):
    """For servers that call it in the thread that serves the request."""


class ThreadedASGIHandler(Handler, ASGIHandler):
    """Runs middlewares and view in one thread of a pool.

    Django's own handler runs every synchronous middleware and the view in a hop to a thread of
    their own, and starts a thread for each request: measured, that was most of a PUT's time.
    """

    def __init__(self) -> None:
        base.BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._free = asyncio.Semaphore(THREADS)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="http")

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            return overrun()
        try:
            respond = sync_to_async(self._respond, thread_sensitive=False, executor=self._pool)
            response: HttpResponseBase = await respond(request)
            return response
        finally:
            self._free.release()

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = _read_in_threads(iter(response))
        return response


def overrun() -> HttpResponse:
    """The answer when every thread waits for something that does not answer."""
    return response_without_view(OUT_OF_SERVICE())


async def _read_in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A file is read piece by piece, off the event loop; Django would first read it whole."""
    read = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await read()) is not None:
        yield chunk
