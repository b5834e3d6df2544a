"""Requests as bytes, for servers that read HTTP."""

import base64
import socket
from http.client import HTTPException, HTTPResponse

from tests.kit.installation import Installation

TIMEOUT_SECONDS = 60


LINGER = 1
"""Seconds for an answer that need not come."""


BODY = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"


PUT = "PUT /finesse/api/User/1234/Media/5001 HTTP/1.1"


BASIC = "Authorization: Basic " + base64.b64encode(b"1234:finesse").decode()


WRONG = "Authorization: Basic " + base64.b64encode(b"nobody:wrong").decode()


HOST, XML = "Host: 127.0.0.1", "Content-Type: application/xml"


LENGTH = f"Content-Length: {len(BODY)}"


CHUNKED = "Transfer-Encoding: chunked"


CHUNK = f"{len(BODY):x}\r\n{BODY}\r\n"


def wire(line: str, *headers: str, body: str = "") -> bytes:
    return ("\r\n".join([line, *headers, "", ""]) + body).encode("latin-1")


def put(*headers: str, body: str = BODY, line: str = PUT) -> bytes:
    return wire(line, HOST, BASIC, XML, *headers, body=body)


def connect(installation: Installation) -> socket.socket:
    return socket.create_connection(("127.0.0.1", installation.port), timeout=TIMEOUT_SECONDS)


def exchange(
    installation: Installation, sent: bytes, timeout: float = TIMEOUT_SECONDS
) -> tuple[int, bytes]:
    """Status and body of the first answer; 0 if the server hangs up, or waits for more."""
    with connect(installation) as connection:
        connection.settimeout(timeout)
        try:
            connection.sendall(sent)
            with HTTPResponse(connection) as response:
                response.begin()
                return response.status, response.read()
        except (OSError, HTTPException):
            return 0, b""


def accepted(installation: Installation) -> int:
    return int(
        installation.query(
            "import json; from media.models import MediaRequest; "
            "print(json.dumps(MediaRequest.objects.count()))"
        )
    )
