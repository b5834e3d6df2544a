"""The XML Schema, and its errors about a document."""

from functools import cache
from xml.etree.ElementTree import fromstring

import xmlschema

from finesse.docs.xml_schema import xml_schema


@cache
def schema() -> xmlschema.XMLSchema10:
    """It takes two seconds, which no process should pay that only collects tests."""
    return xmlschema.XMLSchema10(xml_schema())


def faults(document: str | bytes, type_name: str | None = None) -> list[str]:
    """The errors of an answer or an event, or of a request, if its type is named."""
    root = fromstring(document)
    described = schema().types[type_name] if type_name else schema()
    return [f"{error.path}: {error.reason}" for error in described.iter_errors(root)]
