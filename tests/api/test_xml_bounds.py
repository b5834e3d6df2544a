"""A small document takes little CPU time; the worst accepted one is searched for."""

import random
import tracemalloc
from dataclasses import dataclass, replace

import pytest

from finesse.api.errors import FinesseError
from finesse.api.xml import parse
from finesse.api.xml_bounds import (
    LONGEST_NAMESPACE,
    LONGEST_TAG,
    MOST_ATTRIBUTES,
    MOST_TAGS,
    TooMuchMarkupError,
    check_bounds,
)
from finesse.xmpp import stanzas

LARGEST_BODY = 64 * 1024
MOST_MEMORY = 2_000_000
"""Bytes that reading one body may take at its peak."""
TRIES = 25


@dataclass(frozen=True)
class Document:
    """The shape of a document whose CPU time is measured."""

    elements: int
    attributes: int
    namespace: int
    namespaces: int
    name: int
    value: int
    text: int
    depth: int

    def written(self) -> str:
        uri = "u" * self.namespace
        spaces = " ".join(f"xmlns:n{i}='{uri}{i}'" for i in range(self.namespaces))
        parts = [f"<Media {spaces}>", "<d>" * self.depth]
        for number in range(self.elements):
            prefix = f"n{number % self.namespaces}:" if self.namespaces else ""
            share = self.attributes // self.elements + (number < self.attributes % self.elements)
            given = "".join(
                f" {prefix}b{number}_{one}='{'v' * self.value}'" for one in range(share)
            )
            parts.append(f"<{prefix}{'a' * self.name}{number:x}{given}/>{'t' * self.text}")
        parts += ["</d>" * self.depth, "</Media>"]
        return "".join(parts)[: LARGEST_BODY * 2]


BOUNDS = {
    "elements": (1, MOST_TAGS),
    "attributes": (0, MOST_ATTRIBUTES),
    "namespace": (1, LONGEST_NAMESPACE),
    "namespaces": (0, 40),
    "name": (1, 60),
    "value": (0, 60),
    "text": (0, 60),
    "depth": (0, 14),
}


def cost(document: Document) -> int:
    """Bytes at the peak of reading it; 0 for one that is refused."""
    body = document.written().encode()
    if len(body) > LARGEST_BODY:
        return 0
    tracemalloc.start()
    try:
        kept = parse(body)
        _, peak = tracemalloc.get_traced_memory()
        assert kept
        return peak
    except FinesseError:
        return 0
    finally:
        tracemalloc.stop()


def worst(seed: int) -> tuple[int, Document]:
    """Climb from a random document to a costlier one, field by field."""
    chance = random.Random(seed)
    at = Document(**{name: chance.randint(*bounds) for name, bounds in BOUNDS.items()})
    best = cost(at), at
    for _ in range(TRIES):
        name = chance.choice([*BOUNDS])
        least, most = BOUNDS[name]
        step = chance.choice([least, most, chance.randint(least, most)])
        tried = replace(best[1], **{name: step})
        best = max(best, (cost(tried), tried), key=lambda one: one[0])
    return best


@pytest.mark.parametrize("seed", range(2))
def test_the_worst_document_that_can_be_found_takes_2_mb_at_most(seed: int) -> None:
    peak, document = worst(seed)
    assert 0 < peak <= MOST_MEMORY, document


def test_the_known_worst_document_takes_2_mb_at_most() -> None:
    """As many names as pass, each written out with the longest namespace."""
    names = "".join(f"<n:a{number:x}/>" for number in range(MOST_TAGS - 2 - MOST_ATTRIBUTES))
    attributes = "".join(
        f"<n:b{number:x} n:c{number:x}=''/>" for number in range(MOST_ATTRIBUTES - 1)
    )
    opening = f"<Media xmlns:n='{'u' * LONGEST_NAMESPACE}'>"
    body = f"{opening}{names}{attributes}</Media>".encode()
    tracemalloc.start()
    try:
        parse(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MOST_MEMORY


ATTACKS = {
    "a long namespace for many attributes, behind a quoted end": (
        f"<Media q='>' xmlns:n='{'u' * 8_000}'" + "".join(f" n:a{n}=''" for n in range(498)) + "/>"
    ),
    "one long namespace, many names": (
        f"<Media xmlns:n='{'u' * 32_000}'>"
        + "".join(f"<n:a{number}/>" for number in range(900))
        + "</Media>"
    ),
    "many namespaces": (
        "<Media>" + "".join(f"<a xmlns='{'u' * 100}{n}'/>" for n in range(501)) + "</Media>"
    ),
    "many attributes": "<Media" + "".join(f" a{n}=''" for n in range(501)) + "/>",
    "a long namespace for many attributes of one element": (
        f"<Media xmlns:n='{'u' * 8_000}'" + "".join(f" n:a{n}=''" for n in range(499)) + "/>"
    ),
    "many elements": "<Media>" + "<a/>" * MOST_TAGS + "</Media>",
    "nothing but openings": "<" * 60_000,
    "a namespace just too long": f"<Media xmlns='{'u' * (LONGEST_NAMESPACE + 1)}'/>",
    "many levels": "<Media>" * 17 + "</Media>" * 17,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_too_much_markup_is_refused_over_rest(attack: str) -> None:
    with pytest.raises(FinesseError) as raised:
        parse(ATTACKS[attack].encode())
    assert raised.value.status_code == 400


@pytest.mark.parametrize("attack", ATTACKS)
def test_too_much_markup_is_refused_over_xmpp(attack: str) -> None:
    with pytest.raises(stanzas.StanzaError) as raised:
        stanzas.parse(ATTACKS[attack])
    assert raised.value.condition == "policy-violation"


def test_an_attack_costs_no_more_memory_than_what_passes() -> None:
    for attack, document in ATTACKS.items():
        tracemalloc.start()
        try:
            with pytest.raises(FinesseError):
                parse(document.encode())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak <= MOST_MEMORY, attack


def test_a_list_of_as_many_media_as_a_request_may_have_passes() -> None:
    one = (
        "<Media><id>5001</id><uri>/finesse/api/User/1234/Media/5001</uri><state>LOGIN</state>"
        "<routable>true</routable><reasonCodeId>1</reasonCodeId><maxDialogLimit>5</maxDialogLimit>"
        "<interruptAction>ACCEPT</interruptAction><dialogLogoutAction>CLOSE</dialogLogoutAction>"
        "</Media>"
    )
    check_bounds(f'<?xml version="1.0"?><MediaList xmlns="urn:x">{one * 100}</MediaList>')


def test_a_long_text_is_no_markup() -> None:
    check_bounds(f"<Media><state>{'x' * 60_000}</state></Media>")
    lines = 'GET /finesse/api/User/1234?nocache=1733 it\'s = "fine"\n' * 1_000
    check_bounds(f'<ClientLog xmlns="urn:x"><logData>{lines}</logData></ClientLog>')
    check_bounds(f"<ClientLog><logData><![CDATA[{lines}]]></logData></ClientLog>")


@pytest.mark.parametrize(
    "tag",
    [
        f"<Media a='{'x' * LONGEST_TAG}'/>",
        f"<Media a='>' b='{'x' * LONGEST_TAG}'/>",
        f"""<Media a=">" b='">' c="{"x" * LONGEST_TAG}"/>""",
        "<Media a='>'" + "".join(f" a{n}=''" for n in range(MOST_ATTRIBUTES)) + "/>",
        f"<Media a='{'x' * LONGEST_TAG}",
    ],
)
def test_a_tag_ends_where_a_parser_lets_it_end(tag: str) -> None:
    with pytest.raises(TooMuchMarkupError):
        check_bounds(tag)
