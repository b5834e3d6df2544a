"""Every operation of the API, with its method and its path, in the order of reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import EndpointEnumerator

from finesse.api.description import Operation, operation_of
from finesse.docs.paths import name_paths


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def endpoints() -> Iterator[Endpoint]:
    for path, _, method, callback in name_paths(EndpointEnumerator().get_api_endpoints()):
        view: Any = callback
        if operation := operation_of(getattr(view.cls, method.lower())):
            yield Endpoint(method, path, operation)
