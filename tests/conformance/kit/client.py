"""HTTP as a client of Finesse speaks it, and answers that check themselves."""

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx

from kit.evidence import Node, fail, shown
from kit.waiting import Waiting

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def new_request_id() -> str:
    return f"conformance-{uuid.uuid4()}"


class Answer:
    """A response with the request that it answers."""

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content
        self.text = response.text
        request = response.request
        sent = ("content-type", "requestid", "accept", "origin")
        lines = [f"{request.method} {request.url}"]
        lines += [f"{name}: {request.headers[name]}" for name in sent if name in request.headers]
        lines += [shown(body.decode(errors="backslashreplace"))] if body else []
        lines += ["", f"HTTP {self.status} {response.reason_phrase}"]
        told = ("content-type", "requestid", "allow", "location", "www-authenticate")
        lines += [f"{name}: {self.headers[name]}" for name in told if name in self.headers]
        self.evidence = "\n".join([*lines, shown(self.text.strip())]).strip()

    def fail(self, expected: str, came: str) -> NoReturn:
        fail(expected, came, self.evidence)

    def is_(self, status: int) -> "Answer":
        if self.status != status:
            self.fail(f"status {status}", f"status {self.status}")
        return self

    def is_empty(self) -> "Answer":
        if self.body:
            self.fail("an empty body", f"{len(self.body)} bytes")
        return self

    def accepted(self) -> "Answer":
        return self.is_(202)

    def header(self, name: str, value: str) -> "Answer":
        if self.headers.get(name) != value:
            self.fail(f"the header {name}: {value}", self.headers.get(name) or "none")
        return self

    def lacks_header(self, name: str) -> "Answer":
        if name in self.headers:
            self.fail(f"no header {name}", f"{name}: {self.headers[name]}")
        return self

    def is_xml(self) -> "Answer":
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/xml":
            self.fail("the content type application/xml", media_type or "none")
        return self

    def document(self, root: str, status: int = 200) -> Node:
        """The body, which must have this root."""
        return Node.parse(self.is_(status).body, self.evidence).is_called(root)

    def error(self, status: int) -> Node:
        """The one `<ApiError>` of a refusal."""
        document = self.document("ApiErrors", status)
        document.has_exactly("ApiError")
        return document.child("ApiError")

    def refuses(
        self,
        status: int,
        error_type: str,
        *,
        message: str | None = None,
        data: object = None,
        media: object = None,
    ) -> "Answer":
        """The refusal has this type and, where given, this message, data and ErrorMedia."""
        expected = {
            "ErrorType": error_type,
            "ErrorMessage": message,
            "ErrorData": data,
            "ErrorMedia": media,
        }
        error = self.error(status)
        error.has(**{name: value for name, value in expected.items() if value is not None})
        return self


class Caller:
    """Somebody who sends requests with HTTP Basic, or nobody."""

    def __init__(
        self, url: str, credentials: tuple[str, str] | None, *, insecure: bool, waiting: Waiting
    ) -> None:
        self.url = url
        self.login = credentials[0] if credentials else ""
        self.credentials = credentials
        self.insecure, self.waiting = insecure, waiting
        self._client = httpx.Client(
            base_url=f"{url}/finesse/api/",
            auth=httpx.BasicAuth(*credentials) if credentials else None,
            verify=not insecure,
            timeout=waiting.wait_limit,
            # What the environment knows of proxies and passwords is not meant here.
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        *,
        headers: Mapping[str, str | bytes] | None = None,
        content_type: str | None = "Application/XML",
        request_id: str | bytes | None = None,
    ) -> Answer:
        """Send it. A server that does not answer fails the check that asks."""
        content = body.encode() if isinstance(body, str) else body
        given: dict[str, str | bytes] = dict(headers or {})
        if content and content_type is not None:
            given["Content-Type"] = content_type
        if request_id is not None:
            given["requestId"] = request_id
        raw = [
            (name.encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
            for name, value in given.items()
        ]
        try:
            # Cookies of earlier answers are what no check is about.
            self._client.cookies.clear()
            response = self._client.request(method, path, content=content or None, headers=raw)
        except httpx.HTTPError as error:
            asked = f"{method} {self._client.base_url}{path}\n{shown(content.decode('latin-1'))}"
            fail("an answer", f"none: {type(error).__name__}: {error}", asked)
        return Answer(response, content)

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def put(self, path: str, body: str | bytes, **options: Any) -> Answer:
        return self.send("PUT", path, body, **options)

    def post(self, path: str, body: str | bytes, **options: Any) -> Answer:
        return self.send("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.send("DELETE", path, **options)


@contextmanager
def calling(url: str, credentials: tuple[str, str] | None, **options: Any) -> Iterator[Caller]:
    caller = Caller(url, credentials, **options)
    try:
        yield caller
    finally:
        caller.close()
