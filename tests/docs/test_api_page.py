"""docs/api.md names the errors that there are, with their numbers, and no others."""

import re
from pathlib import Path

import pytest

from finesse.api.errors import TABLE, ErrorRow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
AFTER_THE_202 = {
    name: row for name, row in TABLE.items() if row.later_number or row.message.startswith("E_ARM_")
}
GENERAL = {"BAD_REQUEST", "ROUTABLE_INVALID"}
"""What the page has in other words, or among others of its kind."""
BEFORE_THE_202 = [
    name
    for name, row in TABLE.items()
    if name not in GENERAL and not row.message.startswith("E_ARM_")
]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose first line begins so."""
    _, _, after = PAGE.partition(f"\n{heading}")
    table, _, _ = after.partition("\n\n")
    return [
        [cell.strip() for cell in line.strip("|").split(" |")] for line in table.splitlines()[2:]
    ]


ANSWERS = rows("| HTTP | ErrorType |")
OUTCOMES = rows("| errorData | errorMessage |")
STREAM_ERRORS = rows("| stream error | when |")


def documents(cells: list[str], row: ErrorRow) -> bool:
    status, kind, message, data = cells
    constants = [part for part in re.split(r"{\w+}", row.message) if len(part) > 1]
    fixed = row.data if "{" not in row.data else ""
    return (
        (status, kind) == (str(row.status), row.type)
        and (fixed in data)
        and all(one.strip() in message.replace("`", "") for one in constants)
    )


@pytest.mark.parametrize("name", BEFORE_THE_202)
def test_every_answer_is_documented(name: str) -> None:
    assert [cells for cells in ANSWERS if documents(cells, TABLE[name])]


def test_no_answer_is_documented_that_is_none() -> None:
    kinds = {(str(row.status), row.type) for row in TABLE.values()}
    assert {(cells[0], cells[1]) for cells in ANSWERS} <= kinds
    constants = set(re.findall(r"finesse\.api\.[a-z_.]+", " ".join(cells[3] for cells in ANSWERS)))
    assert constants <= {row.data for row in TABLE.values()}


def test_the_numbers_after_the_202_are_those_of_the_table() -> None:
    later = {
        (row.later_number or row.data, row.later_message or row.message)
        for row in AFTER_THE_202.values()
    }
    assert {(number, message.strip("`")) for number, message, _ in OUTCOMES} == later
    assert all(re.fullmatch(r"-?[0-9]+", number) for number, _ in later)


def test_the_stream_errors_are_those_that_the_server_sends() -> None:
    code = "".join(path.read_text() for path in (ROOT / "finesse" / "xmpp").glob("*.py"))
    sent = set(re.findall(r'(?:StreamEndError|StanzaError|\._end)\("([a-z-]+)"\)', code))
    documented = {name for cells in STREAM_ERRORS for name in re.findall(r"`([a-z-]+)`", cells[0])}
    assert documented == sent
