"""Django's HTTP under WSGI and ASGI servers, for views that are all synchronous."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from time import perf_counter
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers import base
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver

from finesse import log_context, service_watch, wait_limit
from finesse.metrics import timing
from finesse.server.refused_early import out_of_service, with_api_middlewares
from finesse.server.served import Served

THREADS = 32
"""Requests served at once; each thread keeps its database connection."""

THREAD_TIMEOUT_SECONDS = 5
"""How long a request waits for a free thread before it is answered 503."""

API_PREFIX = "/finesse/api/"
RESOLVED_PATHS = 10_000
"""Paths of the API whose views one process remembers, a kilobyte each. Clients use the same few
paths again and again, and trying the URL patterns in turn takes time."""
LONGEST_RESOLVED_PATH = 200
"""In characters; longer paths are not remembered."""


class Handler(base.BaseHandler):
    """Common to both kinds of servers: the API has middlewares of its own, and its URLs are
    resolved once."""

    _middleware_chain: Any
    _get_response: Any

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._page_chain = self._middleware_chain
        self._api_chain = with_api_middlewares(self._get_response)
        self._middleware_chain = self._api_or_page

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Answer it in this thread, within the bound of its waits."""
        begin = perf_counter()
        with wait_limit.bounded(), log_context.about(Served(request)):
            response: HttpResponseBase = super().get_response(request)
        _count(request, response, perf_counter() - begin)
        return response

    def _api_or_page(self, request: HttpRequest) -> Any:
        is_api = request.path_info.startswith(API_PREFIX)
        chain = self._api_chain if is_api else self._page_chain
        return chain(request)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        path = request.path_info
        if not path.startswith(API_PREFIX) or len(path) > LONGEST_RESOLVED_PATH:
            match: ResolverMatch = super().resolve_request(request)
            return match
        request.resolver_match = match = _resolved(path)
        return match


@lru_cache(maxsize=RESOLVED_PATHS)
def _resolved(path: str) -> ResolverMatch:
    match = get_resolver().resolve(path)
    # The patterns that did not match are for Django's debug page, and take most of the memory.
    match.tried = None
    return match


class ThreadWSGIHandler(Handler, WSGIHandler):
    """For servers that call it in the thread that serves the request."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        service_watch.start()
        return super().__call__(environ, start_response)


class ThreadedASGIHandler(Handler, ASGIHandler):
    """Runs middlewares and view in one thread of a pool.

    Django's own handler starts a thread for each request, and runs every synchronous middleware
    and the view in a hop of its own to that thread. That took most of a PUT's time.
    """

    def __init__(self) -> None:
        base.BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._free_threads = asyncio.Semaphore(THREADS)
        self._pool = _Threads(self._free_threads)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        service_watch.start()
        try:
            async with asyncio.timeout(THREAD_TIMEOUT_SECONDS):
                await self._free_threads.acquire()
        except TimeoutError:
            response = out_of_service(request)
            _count(request, response, THREAD_TIMEOUT_SECONDS)
            return response
        respond = sync_to_async(self._respond, thread_sensitive=False, executor=self._pool)
        answer: HttpResponseBase = await respond(request)
        return answer

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        finally:
            # Django's receivers of its signals do so in a thread that has no connection.
            close_old_connections()
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = _read_in_threads(iter(response))
        return response


class _Threads(ThreadPoolExecutor):
    """Releases `free`, which is acquired before each `submit`, when the thread has ended its work.

    Not when the client has gone: Django then cancels the request, but its thread goes on.
    """

    def __init__(self, free: asyncio.Semaphore) -> None:
        super().__init__(THREADS, thread_name_prefix="http")
        self._free = free

    def submit(self, *args: Any, **kwargs: Any) -> "Future[Any]":
        loop = asyncio.get_running_loop()
        future = super().submit(*args, **kwargs)
        future.add_done_callback(lambda _: self._release(loop))
        return future

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        # A loop that is closed serves nobody any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._free.release)


def _count(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    is_api = request.path_info.startswith(API_PREFIX)
    timing.note_answer(timing.API if is_api else timing.PAGE, response.status_code, seconds)


async def _read_in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A file is read in chunks and off the event loop; Django would first read all of it."""
    read = sync_to_async(partial(_read, chunks), thread_sensitive=False)
    while (chunk := await read()) is not None:
        yield chunk


def _read(chunks: Iterator[bytes]) -> bytes | None:
    """The next chunk; one that is made of the database leaves its connection as a request does."""
    try:
        return next(chunks, None)
    finally:
        close_old_connections()
