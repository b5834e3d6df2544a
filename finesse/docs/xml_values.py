"""The simple types of the XML Schema, for the texts of elements, by their fields."""

import re
from typing import Any
from xml.etree.ElementTree import Element

from django.core.validators import RegexValidator
from rest_framework import serializers

from finesse.api.fields import LARGEST_32, NamedField
from finesse.docs.xml_nodes import documented, xs

Facets = list[tuple[str, str]]

NOTHING = "Nothing"
"""The type of an empty element."""


class SimpleTypes:
    """The simple types of one schema, each declared when the first element needs it."""

    def __init__(self) -> None:
        self.declared = {
            NOTHING: documented(
                xs("simpleType", {"name": NOTHING}),
                "An empty element: no value [Media API Parameters].",
                xs("restriction", {"base": "xs:string"}, xs("length", {"value": "0"})),
            )
        }

    def put_type(self, element: Element, field: Any) -> None:
        """Give the element (or attribute) the type of the field: by name, or inside it."""
        named, inside = self._type_of(field)
        if field.allow_null:
            named, inside = self._or_nothing(named, inside)
        if inside is None:
            element.set("type", named)
        else:
            element.append(inside)

    def _type_of(self, field: Any) -> tuple[str, Element | None]:
        """The name of a type, or a type without a name."""
        base, facets = restriction_of(field)
        if isinstance(field, NamedField):
            name = self._declare(type(field))
            if (base, facets) == restriction_of(type(field)()):
                return name, None
            # The field allows less than others of its class.
            return "", xs("simpleType", {}, _restriction(name, facets))
        if not facets:
            return base, None
        return "", xs("simpleType", {}, _restriction(base, facets))

    def _declare(self, kind: type[Any]) -> str:
        name = kind.__name__.removesuffix("Field")
        restriction = _restriction(*restriction_of(kind()))
        declared = documented(xs("simpleType", {"name": name}), kind.__doc__ or "", restriction)
        return self._add(name, declared)

    def _or_nothing(self, named: str, inside: Element | None) -> tuple[str, Element | None]:
        if inside is not None:
            return "", xs("simpleType", {}, xs("union", {"memberTypes": NOTHING}, inside))
        name = f"{named}Or{NOTHING}"
        declared = documented(
            xs("simpleType", {"name": name}),
            f"{named}, or an empty element for none [API Parameter Types].",
            xs("union", {"memberTypes": f"{named} {NOTHING}"}),
        )
        return self._add(name, declared), None

    def _add(self, name: str, declared: Element) -> str:
        self.declared.setdefault(name, declared)
        return name


def restriction_of(field: Any) -> tuple[str, Facets]:
    """The built-in type of the field's texts, and its restrictions."""
    pattern = [("pattern", field.pattern)] if getattr(field, "pattern", "") else []
    match field:
        case serializers.ChoiceField():
            return "xs:string", [("enumeration", str(choice)) for choice in field.choices]
        case serializers.BooleanField():
            return "xs:boolean", pattern
        case serializers.IntegerField():
            return _number(field, pattern)
        case serializers.CharField():
            return "xs:string", _text(field)
        case _:
            return "xs:string", pattern


def _number(field: serializers.IntegerField, pattern: Facets) -> tuple[str, Facets]:
    low, high = field.min_value, field.max_value
    base = "xs:long" if high is not None and high > LARGEST_32 else "xs:int"
    if low is not None and not pattern:
        # Only the plain form of a number is one: 016 is not 16.
        pattern = [("pattern", "[1-9][0-9]*" if low > 0 else "0|[1-9][0-9]*")]
    bounded = high is not None and high < LARGEST_32
    return base, [*pattern, *([("maxInclusive", str(high))] if bounded else [])]


def _text(field: serializers.CharField) -> Facets:
    lengths = {"minLength": field.min_length, "maxLength": field.max_length}
    facets = [(name, str(value)) for name, value in lengths.items() if value is not None]
    for validator in field.validators:
        if isinstance(validator, RegexValidator):
            regex = re.compile(validator.regex)
            facets.append(("pattern", _pattern(regex.pattern)))
    return facets


def _pattern(regex: str) -> str:
    """A regular expression of Python in XML Schema's dialect: anchored by itself, and without the
    characters that no XML can hold. These are controls and the halves of characters, which stand
    before the private ones."""
    anchored = regex.removeprefix("^").removesuffix("$").replace(r"\ud800", "\ue000")
    return re.sub(r"\\x(..)(?:-\\x(..))?", _written_out, anchored)


def _written_out(characters: re.Match[str]) -> str:
    first, last = int(characters[1], 16), int(characters[2] or characters[1], 16)
    escapes = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
    found = [chr(code) for code in range(first, last + 1) if code >= 0x20 or chr(code) in escapes]
    return "".join(escapes.get(character, character) for character in found)


def _restriction(base: str, facets: Facets) -> Element:
    nodes = [xs(name, {"value": value}) for name, value in facets]
    return xs("restriction", {"base": base}, *nodes)
