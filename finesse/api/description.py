"""What a resource says about itself: an `Operation` a handler, a serializer a document.

Nothing here runs when a request is answered. `finesse.docs` makes the description of the API from
it, and the tests compare that with the running server.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from rest_framework import serializers

from finesse.api.errors import ErrorRow

Handler = TypeVar("Handler", bound=Callable[..., Any])


class XMLSerializer(serializers.Serializer[Any]):
    """The children of an XML element; the class's docstring and the fields' help texts are read
    by people. What may be an empty element is `allow_null`, unless it is a text."""

    element: ClassVar[str] = ""
    """The element, where it is not named like the property that holds it."""
    example: ClassVar[str] = ""
    """A document as the protocol prints it."""
    least: ClassVar[int] = 0
    """How many children there must be, where none of them is required by itself."""


class Wrapped(serializers.ListField):
    """A list inside an element of its own: `<roles><role>…</role></roles>`.

    What it wraps is named `element`, or like the element of its serializer.
    """

    def __init__(self, *, element: str = "", **options: Any) -> None:
        self.element = element
        super().__init__(**options)


class Attribute(serializers.ChoiceField):
    """An attribute of the element, not a child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Who may call."""

    text: str
    example: str = ""
    """One of them among the demo's logins; empty where no authentication is needed."""


ANYBODY = Callers(text="Anybody, without authentication")
EVERY_USER = Callers(text="Every user", example="1234")
THE_USER = Callers(text="The user of the path, nobody else", example="1234")
THE_USER_OR_ADMINISTRATORS = Callers(text="The user of the path, administrators", example="1234")
ADMINISTRATORS = Callers(text="Administrators", example="admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is told on a node."""

    name: str
    node: str
    source: str
    page: str
    """The page of the protocol."""
    events: Mapping[str, str]
    """When each event is told."""
    update: type[XMLSerializer]
    """The `<Update>`, with its example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one handler does; it is the decorator of its handler, too."""

    summary: str
    page: str
    """Where the protocol has it from: pages by their titles."""
    callers: Callers
    text: str = ""
    query: type[XMLSerializer] | None = None
    body: tuple[type[XMLSerializer], ...] = ()
    """The documents that it takes, one of them at a time."""
    answer: type[XMLSerializer] | None = None
    """The document of the answer; None is an empty body."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer, and what they hold."""
    errors: tuple[ErrorRow, ...] = ()
    """The errors of its own, in the order in which they are looked for; those that every
    operation has are added by themselves."""
    notification: Notification | None = None
    """What tells the outcome, or later changes of what was read."""
    later: tuple[ErrorRow, ...] = ()
    """The errors that may be told after the 202."""

    def __call__(self, handler: Handler) -> Handler:
        handler.operation = self  # type: ignore[attr-defined]
        return handler


def operation_of(handler: Callable[..., Any]) -> Operation | None:
    """What the handler has been declared to do, if it has."""
    return getattr(handler, "operation", None)
