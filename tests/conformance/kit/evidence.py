"""How a check fails: what was expected, what came, and the exchange that shows it."""

from collections.abc import Collection
from textwrap import indent
from typing import NoReturn, Self
from xml.etree.ElementTree import Element, ParseError, fromstring

_LONGEST = 4000
"""Characters of a body that a message shows."""


class UnmetError(AssertionError):
    """The server did something else. Its text is the whole report."""

    def __init__(self, expected: str, came: str, evidence: str) -> None:
        self.expected, self.came = expected, came
        super().__init__(f"expected: {expected}\ncame:     {came}\n{indent(evidence, '  | ')}")


def fail(expected: str, came: str, evidence: str) -> NoReturn:
    raise UnmetError(expected, came, evidence)


def shown(text: str) -> str:
    """A body as messages show it."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


class Node:
    """An XML element that knows where it came from."""

    def __init__(self, element: Element, evidence: str) -> None:
        self.element = element
        self.evidence = evidence

    @classmethod
    def parse(cls, text: str | bytes, evidence: str) -> "Node":
        try:
            return cls(fromstring(text), evidence)
        except ParseError as error:
            fail("a well-formed XML document", f"{error}", evidence)

    @property
    def name(self) -> str:
        return self.element.tag

    @property
    def names(self) -> list[str]:
        """The children's names in their order."""
        return [child.tag for child in self.element]

    def fail(self, expected: str, came: str) -> NoReturn:
        fail(expected, came, self.evidence)

    def every(self, name: str) -> list["Node"]:
        return [Node(child, self.evidence) for child in self.element.findall(name)]

    def child(self, name: str) -> "Node":
        """The one child of this name."""
        found = self.every(name)
        if len(found) != 1:
            self.fail(
                f"<{self.name}> with one <{name}>", f"{len(found)} of it among {self._written()}"
            )
        return found[0]

    def text(self, name: str) -> str:
        return self.child(name).value

    @property
    def value(self) -> str:
        if len(self.element):
            self.fail(f"text in <{self.name}>", f"the elements {self._written()}")
        return self.element.text or ""

    def is_called(self, name: str) -> Self:
        if self.name != name:
            self.fail(f"the element <{name}>", f"<{self.name}>")
        return self

    def has(self, **expected: object) -> Self:
        """Each child has this text; true and false are written in lower case."""
        for name, value in expected.items():
            wanted, came = written(value), self.text(name)
            if came != wanted:
                self.fail(f"<{name}>{wanted}</{name}> in <{self.name}>", f"<{name}>{came}</{name}>")
        return self

    def matches(self, **expected: object) -> bool:
        return all(self.element.findtext(name) == written(each) for name, each in expected.items())

    def has_all(self, *names: str) -> Self:
        """Each of these children once; others may be there, too."""
        for name in names:
            self.child(name)
        return self

    def has_exactly(self, *names: str, or_also: Collection[str] = ()) -> Self:
        """These children once each, in any order, and no others but those that may be there."""
        came = [name for name in self.names if name not in or_also]
        if sorted(came) != sorted(names):
            missing = ", ".join(name for name in names if name not in came)
            surplus = ", ".join(name for name in came if name not in names)
            self.fail(
                f"<{self.name}> with exactly {', '.join(sorted(names))}",
                f"{self._written()} (missing: {missing or 'none'}; wrong: {surplus or 'none'})",
            )
        return self

    def has_in_order(self, *names: str, or_also: Collection[str] = ()) -> Self:
        """These children in this order, and no others but those that may be there."""
        if [name for name in self.names if name not in or_also] != list(names):
            self.fail(f"<{self.name}> with {', '.join(names)}, in this order", self._written())
        return self

    def lacks(self, *names: str) -> Self:
        for name in names:
            if self.every(name):
                self.fail(f"no <{name}> in <{self.name}>", self._written())
        return self

    def equals(self, other: "Node") -> Self:
        if _plain(self.element) != _plain(other.element):
            self.fail(f"the same as in\n{other.evidence}", "something else")
        return self

    def _written(self) -> str:
        return ", ".join(self.names) or "no elements"


def written(value: object) -> str:
    """A value as the protocol writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(element: Element) -> tuple[str, str, list[object]]:
    """An element without its indentation."""
    return element.tag, (element.text or "").strip(), [_plain(child) for child in element]
