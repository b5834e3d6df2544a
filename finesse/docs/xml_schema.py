"""The XML Schema of every document, made from the same serializers as OpenAPI.

An answer or an update is a global element. Requests have the same root elements with other
contents, so each is a global type, named like its serializer.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from xml.etree.ElementTree import Element, indent, tostring

from finesse.api.description import RequestSerializer, XMLSerializer
from finesse.api.serializers import ApiErrorsSerializer, UpdateSerializer
from finesse.docs.general_texts import XML_SCHEMA
from finesse.docs.operations import Endpoint, endpoints
from finesse.docs.xml_elements import ComplexTypes
from finesse.docs.xml_nodes import documented, xs
from finesse.docs.xml_values import SimpleTypes

_WIDTH = 100
_ANNOTATION = re.compile(
    r"^( *)(<xs:annotation>)\s*(<xs:documentation>)(.+)(</xs:documentation>)\s*(</xs:annotation>)$",
    re.MULTILINE,
)


@cache
def xml_schema() -> str:
    """The document, as text with an XML declaration."""
    root = xs("schema", {"xmlns:xs": "http://www.w3.org/2001/XMLSchema", "version": "1.0"})
    documented(root, XML_SCHEMA)
    found = list(endpoints())
    simple = SimpleTypes()
    complex_ = ComplexTypes(simple)
    root.extend(_elements(found, complex_))
    for serializer in _requests(found):
        complex_.declare([serializer])
    root.extend(complex_.declared.values())
    root.extend(simple.declared.values())
    return _as_text(root)


def _elements(found: list[Endpoint], types: ComplexTypes) -> Iterator[Element]:
    """The global elements: the documents that the server answers and publishes."""
    answers: dict[type[XMLSerializer], list[str]] = {}
    for endpoint in found:
        if answer := endpoint.operation.answer:
            answers.setdefault(answer, []).append(f"{endpoint} [{endpoint.operation.page}]")
    for serializer, sources in answers.items():
        yield _element(serializer.element, types.declare([serializer]), ", ".join(sources))
    errors = types.declare([ApiErrorsSerializer])
    yield _element(ApiErrorsSerializer.element, errors, ApiErrorsSerializer.__doc__ or "")
    updates = list(dict.fromkeys(_updates(found)))
    name = types.declare(updates, UpdateSerializer.element)
    yield _element(UpdateSerializer.element, name, UpdateSerializer.__doc__ or "")


def _element(name: str, type_name: str, text: str) -> Element:
    return documented(xs("element", {"name": name, "type": type_name}), text)


def _updates(found: Iterable[Endpoint]) -> Iterator[type[XMLSerializer]]:
    for endpoint in found:
        if endpoint.operation.notification:
            yield endpoint.operation.notification.update
        for serializer in endpoint.operation.not_served:
            if issubclass(serializer, UpdateSerializer):
                yield serializer


def _requests(found: Iterable[Endpoint]) -> Iterator[type[XMLSerializer]]:
    for endpoint in found:
        yield from endpoint.operation.body
        for serializer in endpoint.operation.not_served:
            if issubclass(serializer, RequestSerializer):
                yield serializer


def _as_text(root: Element) -> str:
    indent(root)
    lines = _ANNOTATION.sub(_wrapped, tostring(root, encoding="unicode"))
    # A line between global declarations, which are indented by two spaces.
    text = re.sub(r"\n  <xs:", "\n\n  <xs:", lines).replace("\x7f", "&#127;")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _wrapped(annotation: re.Match[str]) -> str:
    """An annotation on one line, or on several if its text is too long."""
    margin, *parts = annotation.groups()
    line = margin + "".join(parts)
    if len(line) <= _WIDTH:
        return line
    start, opening, text, closing, end = parts
    inside = f"{margin}  "
    filled = textwrap.fill(text, _WIDTH, initial_indent=inside, subsequent_indent=inside)
    return f"{margin}{start}{opening}\n{filled}\n{margin}{closing}{end}"
