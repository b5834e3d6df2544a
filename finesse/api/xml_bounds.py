"""What a document may contain before it is parsed: REST bodies and XMPP frames alike.

A parser writes each name out with its namespace. A body of 64 KiB with one namespace of 32,000
characters and 4,100 names became 230 MB. The bounds are counted in the text, so that they hold
before a parser has built anything; `tests/api/test_xml_bounds.py` searches for the worst document
that passes.
"""

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

MOST_TAGS = 2_000
"""Occurrences of `<`. A list of 100 Media, each with all its parameters, has 1,900."""
MOST_ATTRIBUTES = 500
"""Occurrences of `=`: in a REST body only namespaces need it, in a stanza few attributes do."""
LONGEST_TAG = 8_192
"""Characters from one `<` to the next, where attributes are among them. What may be a tag is
counted with the text behind it: to tell them apart would be parsing."""
LONGEST_NAMESPACE = 120
"""Characters of a namespace; those of XMPP have up to 50."""
DEEPEST = 16
"""Levels of elements: nothing in either protocol has ten."""


class TooMuchMarkupError(ValueError):
    """The document has more markup than any document of the protocols."""


class TooDeepError(TooMuchMarkupError):
    """The document nests elements deeper than any document of the protocols."""


def check_bounds(
    text: str,
    *,
    longest_tag: int = LONGEST_TAG,
    most_tags: int = MOST_TAGS,
    most_attributes: int = MOST_ATTRIBUTES,
) -> None:
    """Raises TooMuchMarkupError for a document that would cost a parser much memory or time.

    `longest_tag` is for documents whose whole length has a closer bound; the others are for files.
    """
    if (
        text.count("<") > most_tags
        or text.count("=") > most_attributes
        or any(len(piece) > longest_tag and "=" in piece for piece in text.split("<"))
    ):
        raise TooMuchMarkupError


class BoundedTreeBuilder(TreeBuilder):
    """Raises TooDeepError below `DEEPEST` levels, so that what walks the tree afterwards may
    recurse, and TooMuchMarkupError for a namespace of more than `LONGEST_NAMESPACE` characters."""

    depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooDeepError
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        self.depth -= 1
        return super().end(tag)

    def start_ns(self, prefix: str, uri: str) -> None:
        if len(uri) > LONGEST_NAMESPACE:
            raise TooMuchMarkupError
