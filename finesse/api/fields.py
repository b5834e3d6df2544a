"""Fields for the protocol's values, for attributes, and for lists in an element of their own."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from rest_framework import serializers

LARGEST_32 = 2**31 - 1
LARGEST_64 = 2**63 - 1


class NamedField:
    """Mixed into a field: its values are a type of their own in the XML Schema, which is named
    like the class without `Field` and described by its docstring."""

    pattern: ClassVar[str] = ""
    """How the values are written, where the options of the field do not say it."""


class NamedChoiceField(NamedField, serializers.ChoiceField):
    """One of some words. A field may allow fewer of them by its own `choices`."""

    values: ClassVar[Iterable[Any]] = ()

    def __init__(self, **options: Any) -> None:
        options.setdefault("choices", [str(value) for value in self.values])
        super().__init__(**options)


class AttributeField(serializers.ChoiceField):
    """An attribute of the element, not a child."""


class WrappedListField(serializers.ListField):
    """A list inside an element of its own: `<roles><role>…</role></roles>`.

    Each item is named `element`, or like the element of its serializer.
    """

    def __init__(self, *, element: str = "", **options: Any) -> None:
        self.element = element
        super().__init__(**options)


class NotEmptyField(NamedField, serializers.CharField):
    """A constant, or a text for people [Cisco Finesse API Errors]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, **options)


class BooleanField(NamedField, serializers.BooleanField):
    """true or false, in lower case [API Parameter Types]."""

    pattern = "true|false"


class TimestampField(NamedField, serializers.DateTimeField):
    """UTC with milliseconds and Z [Media API Parameters]."""

    pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"


class NumberField(NamedField, serializers.IntegerField):
    """A number from 0, in plain decimals [API Parameter Types]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST_64, **options)


class IdField(NamedField, serializers.IntegerField):
    """A database id: a positive 64-bit number in plain decimals [API Parameter Types]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_64, **options)


class MrdIdField(NamedField, serializers.IntegerField):
    """The id of an MRD: a positive 32-bit number in plain decimals [Media API Parameters]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_32, **options)


class LoginIdField(NamedField, serializers.RegexField):
    """The id of a user in paths [Client Integration]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[A-Za-z0-9._\-]+$", max_length=64, **options)


class UriField(NamedField, serializers.RegexField):
    """A path of the API, to GET a fresh copy from [Media API Parameters]."""

    path: ClassVar[str] = "/{path}"
    """The part after /finesse/api, with ids in braces."""
    _SEGMENTS = {"{path}": r"[A-Za-z0-9._\-/]+", "{userId}": r"[A-Za-z0-9._\-]+"}

    def __init__(self, **options: Any) -> None:
        path = re.sub(r"{\w+}", lambda id_: self._SEGMENTS.get(id_[0], "[1-9][0-9]*"), self.path)
        super().__init__(f"^/finesse/api{path}$", **options)
