"""How resources are described: an `Operation` for each handler, a serializer for each document.

`finesse.docs` makes OpenAPI, the XML Schema and the pages from it; the tests compare them with the
running server. Nothing here runs when a request is answered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from rest_framework import serializers

from finesse.api.errors import ErrorRow

Handler = TypeVar("Handler", bound=Callable[..., Any])


class XMLSerializer(serializers.Serializer[Any]):
    """The children of an XML element, in their order.

    The docstring of a subclass and the help texts of its fields are shown to clients. An element
    that may be empty is declared with `allow_null`; a text may be empty unless it has a
    `min_length`.
    """

    element: ClassVar[str] = ""
    """The element, where it is not named like the property that holds it."""
    example: ClassVar[str] = ""
    """A document as the protocol prints it."""
    forms: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Where the element has several forms: the names of the children in each, in their order."""
    least: ClassVar[int] = 0
    """How many children there must be, where none of them is required by itself."""
    any_order: ClassVar[bool] = False
    """Whether the children may stand in another order."""


class AlphabeticalSerializer(XMLSerializer):
    """An element whose children stand in alphabetical order, as in real answers."""

    def get_fields(self) -> dict[str, Any]:
        return dict(sorted(super().get_fields().items()))


class RequestSerializer(XMLSerializer):
    """A document that clients send."""

    any_order = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """The users that may call an operation."""

    text: str
    example: str = ""
    """A login of the demo that may call; empty where no authentication is needed."""


ANYBODY = Callers(text="Everybody, without authentication")
EVERY_USER = Callers(text="Every user", example="1234")
THE_USER = Callers(text="Only the user of the path", example="1234")
THE_USER_OR_ADMINISTRATORS = Callers(text="The user of the path; administrators", example="1234")
ADMINISTRATORS = Callers(text="Administrators", example="admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The notifications that are published on a node."""

    name: str
    node: str
    source: str
    page: str
    """The page of the protocol, by its title."""
    events: Mapping[str, str]
    """When each event is published."""
    update: type[XMLSerializer]
    """The `<Update>`, with its example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one handler does. An operation is also the decorator of its handler."""

    summary: str
    page: str
    """The page of the protocol, by its title."""
    callers: Callers
    text: str = ""
    query: type[XMLSerializer] | None = None
    body: tuple[type[XMLSerializer], ...] = ()
    """The documents that a request may contain; each request has one of them."""
    answer: type[XMLSerializer] | None = None
    """The document of the answer; None if the body is empty."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer, with their meaning."""
    errors: tuple[ErrorRow, ...] = ()
    """The errors of this operation in the order of the checks, without those that all operations
    have."""
    notification: Notification | None = None
    """The notification of the outcome, or of later changes of the object that was read."""
    later: tuple[ErrorRow, ...] = ()
    """The errors that may be published after the 202."""
    not_served: tuple[type[XMLSerializer], ...] = ()
    """Documents of Finesse about this resource that this server neither takes nor sends; they are
    in the XML Schema only."""

    def __call__(self, handler: Handler) -> Handler:
        handler.operation = self  # type: ignore[attr-defined]
        return handler


def operation_of(handler: Callable[..., Any]) -> Operation | None:
    """The declaration of the handler; None if there is none."""
    return getattr(handler, "operation", None)
