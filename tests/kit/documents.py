"""Comparing documents of the API."""

from xml.etree.ElementTree import Element, canonicalize, tostring


def content(element: Element | None) -> list[str]:
    """The children of the root, which may have any name."""
    assert element is not None
    texts = (tostring(child, encoding="unicode") for child in element)
    return [canonicalize(text, strip_text=True) for text in texts]
