"""The tables of a document's elements, with their values in words, from its JSON schema."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finesse.api.fields import LARGEST_32, LARGEST_64
from finesse.docs.openapi_document import document

_DEEPEST = 2
"""Levels of elements that a table of fields shows. The example shows the deeper ones."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    required: bool
    text: str
    depth: int = 0


def fields_of(schema: dict[str, Any], depth: int = 0) -> Iterator[Field]:
    for name, described in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        element = described.get("xml", {}).get("name", name)
        text = described.get("description") or resolved(described).get("description", "")
        yield Field(element, kind_of(described), required, text, depth)
        inner = _inner(described)
        # Nothing can be inside a list that is always empty.
        if inner.get("properties") and depth < _DEEPEST and described.get("maxItems") != 0:
            if described.get("xml", {}).get("wrapped"):
                yield Field(inner["xml"]["name"], "element, repeated", False, "", depth + 1)
                yield from fields_of(inner, depth + 2)
            else:
                yield from fields_of(inner, depth + 1)


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the elements inside: of a list, of one, or of one that may be empty."""
    schema = resolved(schema)
    if "oneOf" in schema:
        return _inner(schema["oneOf"][0])
    return _inner(schema["items"]) if "items" in schema else schema


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def kind_of(schema: dict[str, Any]) -> str:
    """The values of the element, in words."""
    if "enum" in schema:
        values = ", ".join(str(one) for one in schema["enum"] if one is not None)
        return f"attribute: {values}" if schema.get("xml", {}).get("attribute") else values
    types = schema.get("type", "object")
    kinds = [types] if isinstance(types, str) else [one for one in types if one != "null"]
    match kinds:
        case ["array"]:
            return _kind_of_list(schema)
        case ["object"]:
            return "element"
        case ["boolean"]:
            return "true, false"
        case ["integer"]:
            return _kind_of_number(schema)
        case _:
            return _kind_of_text(schema)


def _kind_of_list(schema: dict[str, Any]) -> str:
    if not schema.get("xml", {}).get("wrapped"):
        return "element, repeated"
    items = schema["items"]
    return "list of " + (", ".join(items["enum"]) if "enum" in items else "elements")


def _kind_of_number(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum", LARGEST_64)
    return f"number, {low} to {high}" if high < LARGEST_32 else "number"


def _kind_of_text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "timestamp"
    if schema.get("pattern", "").startswith("^/"):
        return "path"
    longest = schema.get("maxLength")
    return f"text, up to {longest}" if longest else "text"
