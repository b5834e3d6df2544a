"""Comparing documents of the API."""

from xml.etree.ElementTree import Element, canonicalize, tostring


def content(element: Element | None) -> list[str]:
    """The children, whatever their parent is called."""
    assert element is not None
    texts = (tostring(child, encoding="unicode") for child in element)
    return [canonicalize(text, strip_text=True) for text in texts]
