"""Nodes of an XML Schema, and the model of children that come in several forms."""

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

Form = tuple[str, ...]
"""The names of an element's children, in order."""


def xs(name: str, attributes: dict[str, str], *children: Element) -> Element:
    """`<xs:name …>`; the prefix is declared at the root."""
    node = Element(f"xs:{name}", attributes)
    node.extend(children)
    return node


def documented(node: Element, text: str, *children: Element) -> Element:
    """The node with a text for people before its children."""
    if text:
        documentation = xs("documentation", {})
        documentation.text = " ".join(text.split())
        node.append(xs("annotation", {}, documentation))
    node.extend(children)
    return node


def model_of(forms: Iterable[Form], child: Callable[[str], Element]) -> list[Element]:
    """The content that accepts exactly these forms; `child` makes the declaration of a child.

    XML Schema demands that each element is recognised by its name alone. So the common beginning of
    some forms is written once, and a choice stands where their names differ for the first time.
    """
    distinct = list(dict.fromkeys(forms))
    longer = [form for form in distinct if form]
    if not longer:
        return []
    if len(longer) < len(distinct):
        return [xs("sequence", {"minOccurs": "0"}, *model_of(longer, child))]
    rests = _by_first(distinct)
    for first, rest in rests.items():
        others = [form for form in distinct if form[0] != first]
        if not others:
            return [child(first), *model_of(rest, child)]
        if set(others) == set(rest):
            optional = child(first)
            optional.set("minOccurs", "0")
            return [optional, *model_of(others, child)]
    branches = [[child(first), *model_of(rest, child)] for first, rest in rests.items()]
    return [xs("choice", {}, *map(_one, branches))]


def _by_first(forms: list[Form]) -> dict[str, list[Form]]:
    """The rest of each form, by its first name."""
    rests: dict[str, list[Form]] = {}
    for form in forms:
        rests.setdefault(form[0], []).append(form[1:])
    return rests


def _one(branch: list[Element]) -> Element:
    return branch[0] if len(branch) == 1 else xs("sequence", {}, *branch)
