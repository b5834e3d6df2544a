"""XML read as the description says: elements into the values that its schemas speak of."""

from typing import Any
from xml.etree.ElementTree import Element


def typed(element: Element, schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """The element as an instance of the schema, by the rules of OpenAPI's XML objects.

    Elements that are not described stay in it, so that a strict schema finds them; a text that is
    not of the described type stays a text.
    """
    schema = resolved(schema, document)
    if "oneOf" in schema:
        described, nothing = schema["oneOf"]
        assert nothing == {"type": "null"}, "only what may be empty has alternatives"
        return None if _is_empty(element) else typed(element, described, document)
    types = schema.get("type", "object")
    types = [types] if isinstance(types, str) else types
    if "null" in types and _is_empty(element):
        return None
    if "object" in types:
        return _children(element, schema, document)
    if "array" in types:
        return [typed(child, _named(schema["items"], child), document) for child in element]
    if len(element):
        return {child.tag: child.text for child in element}
    return _value(element.text or "", types)


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The same description, in which an element that is not described is a fault."""
    schemas = {
        name: {**schema, "additionalProperties": False} if "properties" in schema else schema
        for name, schema in document["components"]["schemas"].items()
    }
    return {**document, "components": {**document["components"], "schemas": schemas}}


def _children(element: Element, schema: dict[str, Any], document: dict[str, Any]) -> Any:
    found: dict[str, Any] = {}
    elements = {child.tag for child in element}
    for name, described in schema.get("properties", {}).items():
        hints = described.get("xml", {})
        if hints.get("attribute"):
            if name in element.attrib:
                found[name] = element.attrib[name]
            continue
        tag = hints.get("name", name)
        elements.discard(tag)
        children = element.findall(tag)
        if resolved(described, document).get("type") == "array" and not hints.get("wrapped"):
            if children:
                found[name] = [typed(one, described["items"], document) for one in children]
        elif children:
            assert len(children) == 1, f"<{tag}> is there {len(children)} times"
            found[name] = typed(children[0], described, document)
    return found | dict.fromkeys(elements, "not described")


def _named(items: dict[str, Any], child: Element) -> dict[str, Any]:
    name = items.get("xml", {}).get("name")
    assert name in {None, child.tag}, f"<{child.tag}> stands where <{name}> belongs"
    return items


def _is_empty(element: Element) -> bool:
    return len(element) == 0 and not element.text


def _value(text: str, types: list[str]) -> Any:
    if "integer" in types and text.removeprefix("-").isdecimal():
        return int(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text
