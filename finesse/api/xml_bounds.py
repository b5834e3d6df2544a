"""What a document may contain before it is parsed: REST bodies and XMPP frames alike.

A parser writes each name out with its namespace. A body of 64 KiB with one namespace of 32,000
characters and 4,100 names became 230 MB. The bounds are counted in the text, so that they hold
before a parser has built anything; `tests/api/test_xml_bounds.py` searches for the worst document
that passes.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

MOST_TAGS = 2_000
"""Occurrences of `<`. A list of 100 Media, each with all its parameters, has 1,900."""
MOST_ATTRIBUTES = 500
"""Occurrences of `=` in tags: in a REST body only namespaces need it, in a stanza few attributes
do."""
LONGEST_TAG = 8_192
"""Characters of a tag that has attributes."""
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
    if text.count("<") > most_tags:
        raise TooMuchMarkupError
    if text.count("=") <= most_attributes and len(text) <= longest_tag:
        # Nearly every document: nothing has to be looked at more closely.
        return
    tags = [*_tags(text)]
    if sum(tag.count("=") for tag in tags) > most_attributes or any(
        len(tag) > longest_tag and "=" in tag for tag in tags
    ):
        raise TooMuchMarkupError


_REST_OF_TAG = re.compile(r"""(?:[^>"']+|"[^"]*"|'[^']*')*+>""")
"""A `>` in quotes ends no tag."""


def _tags(text: str) -> Iterator[str]:
    """What a parser may take for a tag, without its `<`, and without the text behind it.

    No tag goes on over a `<`, not even in quotes. What has no end is no tag, but counts as one;
    so does what looks like a tag in a comment or CDATA.
    """
    _, *pieces = text.split("<")
    for piece in pieces:
        if not piece.startswith("!"):
            found = _REST_OF_TAG.match(piece)
            yield found.group() if found else piece


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
