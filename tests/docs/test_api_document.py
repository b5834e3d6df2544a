"""docs/api.md against the error table: it is what people read first, and is written by hand."""

import re
from pathlib import Path

import pytest

from finesse.api.errors import TABLE, ErrorRow
from finesse.docs import page_contents
from finesse.xmpp import stanzas
from media.models import MediaRequest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text()
OPERATIONS = page_contents.operations()
PUBLISHED = {error.name for operation in OPERATIONS for error in operation.later}
ANSWERED = TABLE.keys() - (
    PUBLISHED - {"INTERNAL_ERROR"} - {error.name for one in OPERATIONS for error in one.errors}
)
"""All others are published after the 202 only."""


def table(*head: str) -> list[list[str]]:
    """The cells of the table with this head, row by row, without backquotes."""
    _, _, rest = TEXT.partition(f"| {' | '.join(head)} |\n")
    lines = [line for line in rest.partition("\n\n")[0].replace("`", "").splitlines()[1:] if line]
    assert lines, head
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def has_all_of(cell: str, text: str) -> bool:
    """Whether the cell has the parts of the text that are no placeholders."""
    return all(part.strip() in cell for part in re.split(r"{\w+}", text))


@pytest.mark.parametrize("name", sorted(ANSWERED))
def test_the_document_lists_each_error_that_is_answered(name: str) -> None:
    row: ErrorRow = TABLE[name]
    listed = table("HTTP", "ErrorType", "ErrorMessage", "ErrorData")
    assert any(
        (status, kind) == (str(row.status), row.type)
        and has_all_of(message, row.message)
        and has_all_of(data, row.data)
        for status, kind, message, data in listed
    )


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_document_lists_each_error_that_is_published(name: str) -> None:
    row: ErrorRow = TABLE[name]
    listed = {tuple(cells[:2]) for cells in table("errorData", "errorMessage", "when")}
    assert (row.later_number or row.data, row.later_message or row.message) in listed


def test_the_document_lists_no_error_that_does_not_exist() -> None:
    messages = {row.later_message or row.message for row in TABLE.values()}
    assert {message for _, message, _ in table("errorData", "errorMessage", "when")} <= messages
    types = {(str(row.status), row.type) for row in TABLE.values()}
    answered = table("HTTP", "ErrorType", "ErrorMessage", "ErrorData")
    assert {(status, kind) for status, kind, _, _ in answered} <= types
    words = " ".join(data for _, _, _, data in answered)
    assert {*re.findall(r"finesse\.api\.[a-z_.]+", words)} <= {row.data for row in TABLE.values()}


def test_the_errors_that_are_published_have_numbers_that_clients_can_parse() -> None:
    numbers = [data for data, _, _ in table("errorData", "errorMessage", "when")]
    assert numbers
    assert all(re.fullmatch(r"-?[0-9]+", number) for number in numbers)


def test_the_document_lists_the_stream_errors_that_the_server_sends() -> None:
    code = "".join(path.read_text() for path in (ROOT / "finesse" / "xmpp").glob("*.py"))
    sent = {*re.findall(r'(?:StreamEndError|StanzaError|\._end)\("([a-z-]+)"\)', code)}
    sent |= {stanzas.ACCESS_ENDED, stanzas.RESET}
    names = " ".join(name for name, _ in table("stream error", "when"))
    assert {*re.findall(r"[a-z-]+", names)} == sent


def test_each_error_that_is_published_fits_into_the_row_of_its_request() -> None:
    longest = MediaRequest._meta.get_field("error").max_length
    texts = [TABLE[name].later_message or TABLE[name].message for name in PUBLISHED]
    assert longest
    assert max(map(len, texts)) <= longest
