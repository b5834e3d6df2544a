"""A WSGI server with four threads, as operators have: `python -m tests.kit.wsgi_server PORT`."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from finesse.wsgi import application

THREADS = 4


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing: the service's own log is what counts."""


class _Server(WSGIServer):
    request_queue_size = 128
    _pool = ThreadPoolExecutor(THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._pool.submit(self._serve, request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)


if __name__ == "__main__":
    server = _Server(("127.0.0.1", int(sys.argv[1])), _Quiet)
    server.set_app(application)
    server.serve_forever()
