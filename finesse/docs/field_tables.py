"""The elements of a document, with what each may hold in words: out of its JSON schema."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finesse.docs.openapi_document import document

_DEEPEST = 2
"""Levels of elements that a table of fields shows; the example shows the rest."""


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
        if inner.get("properties") and depth < _DEEPEST:
            if described.get("xml", {}).get("wrapped"):
                yield Field(inner["xml"]["name"], "element, repeated", False, "", depth + 1)
                yield from fields_of(inner, depth + 2)
            else:
                yield from fields_of(inner, depth + 1)


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the elements inside, whether one, a list of them or perhaps none."""
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
    """What the text of the element may be, in words."""
    if schema.get("xml", {}).get("attribute"):
        return "attribute: " + ", ".join(schema["enum"])
    if "enum" in schema:
        return ", ".join(schema["enum"])
    types = schema.get("type", "object")
    kinds = [types] if isinstance(types, str) else [one for one in types if one != "null"]
    if kinds == ["array"]:
        if schema.get("xml", {}).get("wrapped"):
            items = schema["items"]
            return "list of " + (", ".join(items["enum"]) if "enum" in items else "elements")
        return "element, repeated"
    if kinds == ["object"]:
        return "element"
    if kinds == ["boolean"]:
        return "true, false"
    if schema.get("format") == "date-time":
        return "timestamp"
    if kinds == ["integer"]:
        low, high = schema.get("minimum"), schema.get("maximum")
        return f"number, {low} to {high}" if high is not None else "number"
    longest = schema.get("maxLength")
    return f"text, up to {longest}" if longest else "text"
