"""Reads and writes Finesse's XML, and the formats of values in it."""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from finesse.api.errors import BAD_REQUEST
from finesse.api.xml_bounds import (
    MOST_ATTRIBUTES,
    MOST_TAGS,
    BoundedTreeBuilder,
    TooDeepError,
    TooMuchMarkupError,
    check_bounds,
)

Tree: TypeAlias = "str | Children"
"""A parsed element: its text, or its children."""


class Children(dict[str, Tree]):
    """An element's children by name. Of a repeated child, as in lists, this is the last one."""

    def __init__(self, children: Iterable[tuple[str, Tree]] = ()) -> None:
        self._in_order = [*children]
        super().__init__(self._in_order)

    def every(self, name: str) -> list[Tree]:
        """All children of this name, in their order."""
        return [child for child_name, child in self._in_order if child_name == name]

    def text(self, name: str) -> str:
        """The child's text; empty if the child is missing. A child that has elements instead gets a
        text that no parameter accepts."""
        value = self.get(name, "")
        return value if isinstance(value, str) else "<>"


def boolean(text: str) -> bool:
    """`true` or `false` in any case: pages print `true` and `True`. Raises ValueError."""
    values = {"true": True, "false": False}
    try:
        return values[text.lower()]
    except KeyError:
        raise ValueError(text) from None


ENCODINGS = {
    "utf-8": "utf-8",
    # Documents that are declared as ASCII may contain UTF-8.
    "ascii": "utf-8",
    "iso8859-1": "iso8859-1",
    "cp1252": "cp1252",
}
"""The encodings that clients send, by Python's names, and how each is decoded."""
_DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(
    body: bytes,
    charset: str = "",
    *,
    most_tags: int = MOST_TAGS,
    most_attributes: int = MOST_ATTRIBUTES,
) -> dict[str, Tree]:
    """The document as `{root: …}`, in which every value is a text.

    `charset` is the one of the Content-Type; without one, the XML declaration says which it is,
    and without that it is UTF-8 [RFC 7303, 3]. Blank lines before the declaration are accepted,
    since real clients send them. Raises FinesseError `Bad Request` for anything but one small,
    plain document. More markup than in a request is for files.
    """
    root = _root(_decoded(body, charset), most_tags, most_attributes)
    return {_local_name(root): _tree(root)}


def _root(text: str, most_tags: int, most_attributes: int) -> Element:
    """The root element. Raises FinesseError `Bad Request`."""
    try:
        check_bounds(text, most_tags=most_tags, most_attributes=most_attributes)
        parser = DefusedXMLParser(
            target=BoundedTreeBuilder(), encoding="utf-8", forbid_dtd=True, forbid_external=True
        )
        parser.feed(text)
        root: Element = parser.close()
        return root
    except DefusedXmlException:
        raise BAD_REQUEST(reason="The body must not contain a DTD or entities") from None
    except TooDeepError:
        raise BAD_REQUEST(reason="The body nests its elements too deeply") from None
    except TooMuchMarkupError:
        raise BAD_REQUEST(reason="The body has too many or too long elements") from None
    except (ParseError, ValueError):
        raise BAD_REQUEST(reason="The body is not well-formed XML") from None


def _decoded(body: bytes, charset: str) -> str:
    """The body as text. Raises FinesseError `Bad Request`."""
    if body.startswith(_BYTE_ORDER_MARK):
        # It has precedence over every declaration [RFC 7303, 3].
        charset, body = "utf-8", body.removeprefix(_BYTE_ORDER_MARK)
    body = body.lstrip()
    if not charset and (declared := _DECLARED_ENCODING.match(body)):
        charset = declared[1].decode("latin-1")
    try:
        return body.decode(ENCODINGS[_codec_name(charset)])
    except (KeyError, UnicodeDecodeError):
        raise BAD_REQUEST(
            reason="The body must be encoded as declared, in UTF-8, ISO-8859-1 or Windows-1252"
        ) from None


@lru_cache(maxsize=100)
def _codec_name(charset: str) -> str:
    """Python's name of an encoding, however it is spelt; UTF-8 if none is named."""
    try:
        return codecs.lookup(charset or "utf-8").name
    except (LookupError, ValueError):
        return ""


def _local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _tree(element: Element) -> Tree:
    if len(element):
        return Children((_local_name(child), _tree(child)) for child in element)
    return (element.text or "").strip()


_ID = re.compile(r"[1-9][0-9]{0,18}")


def identifier(text: str, *, upto: int = 2**63 - 1) -> int:
    """The number of an id in plain decimal form (`0010` is not 10), or 0, which no object has."""
    if _ID.fullmatch(text) and int(text) <= upto:
        return int(text)
    return 0


def render(document: Mapping[str, Any], *, pretty: bool = False) -> str:
    """`{root: …}` as XML text without a declaration; empty elements are written `<a></a>`.

    An element is a dict of its children or a text; a list repeats its element, None is an empty
    one. A name that starts with @ is an attribute: `{"@category": "ALL"}`. The text is put together
    directly: ElementTree takes twice the CPU, which was a seventh of the writer's time.
    """
    ((name, value),) = document.items()
    return _element(name, value, "\n" if pretty else "")


def render_list(root: str, name: str, elements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The document `{root: {name: [elements]}}` piece by piece, an element at a time, as `render`
    writes it with `pretty`."""
    yield f"<{root}>"
    end = ""
    for element in elements:
        end = "\n"
        yield "\n  " + _element(name, element, "\n  ")
    yield f"{end}</{root}>"


def _element(name: str, value: Any, line: str) -> str:
    """`line` is a line break with the indentation of this depth, or empty."""
    if not isinstance(value, dict):
        return f"<{name}>{escape(_text(value))}</{name}>"
    texts: list[object] = []
    for child in value.values():
        kind = type(child)
        # Most texts need no escaping, and checking for that is faster than `escape`.
        if kind is str and child.isprintable():
            is_plain = not ("&" in child or "<" in child or ">" in child)
            texts.append(child if is_plain else escape(child))
        elif kind is int:
            texts.append(child)
        elif kind is bool:
            texts.append("true" if child else "false")
        elif isinstance(child, (dict, list)):
            return _with_elements(name, value, line)
        else:
            texts.append(escape(_text(child)))
    template = _template(name, tuple(value), line)
    return template % tuple(texts) if template else _with_elements(name, value, line)


@lru_cache(maxsize=1000)
def _template(name: str, names: tuple[str, ...], line: str) -> str:
    """The text of an element with %s for each child; empty if one of them is an attribute.

    The protocol has few kinds of elements, so few templates are kept.
    """
    if any(child[0] == "@" for child in names):
        return ""
    inside = f"{line}  " if line else ""
    children = "".join(f"{inside}<{child}>%s</{child}>" for child in names)
    return f"<{name}>{children}{line if names else ''}</{name}>"


def _with_elements(name: str, children: dict[str, Any], line: str) -> str:
    inside = f"{line}  " if line else ""
    attributes, written = [], []
    for child_name, child in children.items():
        if child_name[0] == "@":
            attributes.append(f' {child_name[1:]}="{escape(_text(child), _IN_ATTRIBUTES)}"')
        elif isinstance(child, list):
            written += [f"{inside}{_element(child_name, item, inside)}" for item in child]
        else:
            written.append(f"{inside}{_element(child_name, child, inside)}")
    end = line if written else ""
    return f"<{name}{''.join(attributes)}>{''.join(written)}{end}</{name}>"


_IN_ATTRIBUTES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    # One character that XML does not allow would make the whole document unreadable.
    return text if text.isprintable() else _NOT_XML.sub("\ufffd", text)


def timestamp(moment: datetime | None) -> str:
    """UTC with milliseconds and Z [Media API Parameters]; empty for None."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
