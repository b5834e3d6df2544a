"""XML in and out: only small, plain documents come in, only well-formed ones go out."""

from xml.etree.ElementTree import Element, fromstring, indent, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finesse.api.errors import FinesseError
from finesse.api.xml import parse, render
from finesse.api.xml_bounds import DEEPEST


def refused(body: bytes) -> str:
    with pytest.raises(FinesseError) as raised:
        parse(body)
    assert raised.value.row.type == "Bad Request"
    return raised.value.message


def test_values_stay_the_text_that_they_are() -> None:
    body = b"<Media><a>0010</a><b>true</b><c/><d>  x </d></Media>"
    assert parse(body) == {"Media": {"a": "0010", "b": "true", "c": "", "d": "x"}}


def test_of_a_repeated_element_the_last_one_wins() -> None:
    assert parse(b"<Media><a>1</a><a>2</a></Media>") == {"Media": {"a": "2"}}


def test_comments_and_cdata_are_read_as_xml_means_them() -> None:
    assert parse(b"<M><a>x<!-- no -->y</a><b><![CDATA[<&>]]></b></M>") == {
        "M": {"a": "xy", "b": "<&>"}
    }


def test_a_byte_order_mark_and_blank_lines_before_the_declaration_are_forgiven() -> None:
    assert parse(b'\xef\xbb\xbf\n\r\n<?xml version="1.0"?><M><a>\xc3\xa9</a></M>') == {
        "M": {"a": "é"}
    }


def test_namespaces_do_not_hide_an_element() -> None:
    assert parse(b'<M xmlns="urn:x" xmlns:y="urn:y"><y:a>1</y:a></M>') == {"M": {"a": "1"}}


def test_the_seeds_own_sample_with_its_misspelt_tag_is_malformed() -> None:
    sample = (
        b"<Media>\n   <state>NOT_READY</state>\n   <reasonCodeId>1001</reaasonCodeId>\n</Media>"
    )
    assert "well-formed" in refused(sample)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"state=READY",
        b'{"state": "READY"}',
        b"<Media><state>READY</state>",
        b"<Media></Media><Media></Media>",
        b"<Media>\x00</Media>",
        b"<Media>\x0b</Media>",
        b"<Media>&#0;</Media>",
        b"<Media>&#x1F;</Media>",
        b"<Media>\xff\xfe</Media>",
        b"<Media>\xed\xa0\x80</Media>",
        "<Media><state>READY</state></Media>".encode("utf-16"),
        "<Media><state>READY</state></Media>".encode("utf-32"),
        b"<Media>&unknown;</Media>",
        b"<Media a='1' a='2'/>",
    ],
)
def test_a_body_other_than_well_formed_utf8_xml_is_refused(body: bytes) -> None:
    refused(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE Media><Media/>",
        b'<!DOCTYPE Media SYSTEM "http://127.0.0.1:9/x"><Media/>',
        b'<!DOCTYPE M [<!ENTITY a "x">]><M>&a;</M>',
        b'<!DOCTYPE M [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><M>&b;</M>',
        b'<!DOCTYPE M [<!ENTITY a SYSTEM "file:///etc/hostname">]><M>&a;</M>',
    ],
)
def test_dtds_and_entities_are_refused(body: bytes) -> None:
    assert "DTD" in refused(body)


@pytest.mark.parametrize("encoding", ["utf-16", "UTF-7", "cp037", "rot13", "nonsense"])
def test_other_encodings_are_refused_even_where_the_bytes_would_do(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><M/>'.encode()
    assert "UTF-8" in refused(body)


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "US-ASCII", "utf8"])
def test_the_encodings_that_are_utf8_are_taken(encoding: str) -> None:
    assert parse(f"<?xml version='1.0' encoding='{encoding}'?><M/>".encode()) == {"M": ""}


@pytest.mark.parametrize(
    ("declared", "encoded"),
    [
        ("ISO-8859-1", b"Caf\xe9"),
        ("latin1", b"Caf\xe9"),
        ("iso_8859-1", b"Caf\xe9"),
        ("Windows-1252", b"Caf\xe9"),
        ("CP1252", b"Caf\xe9"),
        ("UTF8", b"Caf\xc3\xa9"),
        ("us-ascii", b"Caf\xc3\xa9"),
    ],
)
def test_a_body_is_decoded_as_its_type_or_its_declaration_says(
    declared: str, encoded: bytes
) -> None:
    assert parse(b"<M>" + encoded + b"</M>", declared) == {"M": "Café"}
    declaration = f'<?xml version="1.0" encoding="{declared}"?>'.encode()
    assert parse(declaration + b"<M>" + encoded + b"</M>") == {"M": "Café"}


def test_the_charset_of_the_type_counts_more_than_the_declaration() -> None:
    body = b'<?xml version="1.0" encoding="UTF-8"?><M>Caf\xe9</M>'
    assert parse(body, "ISO-8859-1") == {"M": "Café"}
    assert "UTF-8" in refused(body)


def test_a_byte_order_mark_counts_more_than_either() -> None:
    body = "\ufeff<?xml version='1.0' encoding='ISO-8859-1'?><M>Café</M>".encode()
    assert parse(body, "ISO-8859-1") == {"M": "Café"}


def test_bytes_that_the_declared_encoding_does_not_have_are_refused() -> None:
    assert "UTF-8" in refused(b'<?xml version="1.0" encoding="windows-1252"?><M>\x81</M>')


def test_deep_nesting_is_refused_before_anything_can_recurse_into_it() -> None:
    assert parse(b"<a>" * DEEPEST + b"</a>" * DEEPEST)
    deep = DEEPEST + 1
    assert "deep" in refused(b"<a>" * deep + b"</a>" * deep)
    assert "deep" in refused(b"<a>" * 1900)
    assert "too many" in refused(b"<a>" * 9000)


def test_booleans_none_lists_and_empty_elements_are_written_as_finesse_does() -> None:
    document = {"L": {"M": [{"a": True, "b": False}, {"c": None, "d": ""}]}}
    assert render(document) == "<L><M><a>true</a><b>false</b></M><M><c></c><d></d></M></L>"


def test_a_name_with_an_at_sign_is_written_as_an_attribute() -> None:
    document = {"L": {"@category": 'A&"B"', "@all": True, "M": [1, 2]}}
    assert render(document) == '<L category="A&amp;&quot;B&quot;" all="true"><M>1</M><M>2</M></L>'
    assert render({"L": {"@category": "ALL", "M": []}}) == '<L category="ALL"></L>'


def test_pretty_printing_adds_white_space_between_elements_only() -> None:
    assert render({"A": {"b": " x ", "c": ""}}, pretty=True) == "<A>\n  <b> x </b>\n  <c></c>\n</A>"


def _by_element_tree(name: str, value: object) -> Element:
    element = Element(name)
    if not isinstance(value, dict):
        element.text = str(value)
        return element
    for child_name, child in value.items():
        if child_name.startswith("@"):
            element.set(child_name[1:], child)
            continue
        for item in child if isinstance(child, list) else [child]:
            element.append(_by_element_tree(child_name, item))
    return element


characters = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn")), max_size=8)
documents = st.recursive(
    characters | st.integers(),
    lambda inside: (
        st.dictionaries(st.sampled_from("abc"), inside | st.lists(inside, max_size=3))
        | st.dictionaries(st.sampled_from(["@x", "@y"]), characters)
    ),
    max_leaves=12,
)


@given(documents)
def test_it_is_what_a_library_would_write(value: object) -> None:
    for pretty in (False, True):
        root = _by_element_tree("R", value)
        if pretty:
            indent(root)
        expected = tostring(root, encoding="unicode", short_empty_elements=False)
        assert render({"R": value}, pretty=pretty) == expected


def test_special_characters_are_escaped_once() -> None:
    assert render({"a": "A&B<C>"}) == "<a>A&amp;B&lt;C&gt;</a>"


def test_what_xml_cannot_hold_does_not_spoil_the_rest() -> None:
    assert fromstring(render({"a": "x\x00\x1b\ud800y"})).text == "x\ufffd\ufffd\ufffdy"


texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30
).map(str.strip)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d-e"]), texts, min_size=1))
def test_every_text_comes_back_as_it_went(children: dict[str, str]) -> None:
    for pretty in (False, True):
        assert parse(render({"M": children}, pretty=pretty).encode()) == {"M": children}


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_bad_request(body: bytes) -> None:
    try:
        parse(body)
    except FinesseError as error:
        assert error.row.type == "Bad Request"


@given(st.text(max_size=60))
def test_no_text_in_a_body_raises_anything_but_bad_request(text: str) -> None:
    body = f"<Media><state>{text}</state></Media>".encode("utf-8", "surrogatepass")
    try:
        assert "Media" in parse(body)
    except FinesseError as error:
        assert error.row.type == "Bad Request"
