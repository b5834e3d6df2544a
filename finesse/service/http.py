"""Django's HTTP under an ASGI server, for views that are all synchronous."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from finesse.api.codec import render
from finesse.api.errors import OUT_OF_SERVICE

THREADS = 32
"""Requests served at once; each thread keeps its database connection."""

PATIENCE = 5
"""Seconds that a request waits for a free thread before it is answered 503."""


class ThreadedASGIHandler(ASGIHandler):
    """Runs middlewares and view in one thread of a pool.

    Django's own handler runs every synchronous middleware and the view in a hop to a thread of
    their own, and starts a thread for each request: measured, that was most of a PUT's time.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
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
        # Django tells only the thread that runs its signals, which is not this one.
        close_old_connections()
        try:
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not response.is_async:
                response.streaming_content = _read_in_threads(iter(response))
            return response
        finally:
            close_old_connections()


def overrun() -> HttpResponse:
    """The answer when every thread waits for something that does not answer."""
    body = render(OUT_OF_SERVICE().body(media=None), pretty=True) + "\n"
    return HttpResponse(body, status=503, content_type="application/xml; charset=utf-8")


async def _read_in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A file is read piece by piece, off the event loop; Django would first read it whole."""
    read = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await read()) is not None:
        yield chunk
