"""Cells of files: harmless for spreadsheets, and read back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finesse.db.names import folded
from finesse.files import names_in_cell, separated
from finesse.files.columns import spelling
from finesse.files.encodings import decoded
from finesse.files.harmless import harmless, original
from finesse.files.plan import Outcome, Plan, PlannedRow
from finesse.files.tables import FileRefusedError

TEXTS = st.text(st.one_of(st.sampled_from("'=+-@\t\r\n;\", "), st.characters(codec="utf-8")))
NAMES = TEXTS.map(str.strip).filter(bool)


@given(TEXTS)
def test_a_harmless_text_is_read_back_as_it_was(text: str) -> None:
    assert original(harmless(text)) == text
    assert harmless(text)[:1] not in {*"=+-@\t\r\n＝＋－＠"} - {""}


@given(st.lists(NAMES, max_size=5))
def test_names_in_a_cell_are_read_back_as_they_were(names: list[str]) -> None:
    written = names_in_cell.write(names, {folded("everybody")})
    assert [one.text for one in names_in_cell.parse(written)] == names


def test_a_name_that_is_a_word_is_told_from_the_word() -> None:
    (word,), (name,) = (
        names_in_cell.parse(cell)
        for cell in ("Everybody", names_in_cell.write(["Everybody"], {"everybody"}))
    )
    assert (word.text, name.text) == ("Everybody", "Everybody")
    assert (word.is_quoted, name.is_quoted) == (False, True)


@pytest.mark.parametrize("cell", ['"Chat', '"Chat; Email', '"Chat" and more', 'Chat; "'])
def test_an_open_quotation_mark_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="not closed"):
        names_in_cell.parse(cell)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=10)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_a_csv_file_is_read_back_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    head = ("code", "label")
    content = separated.write(head, rows)
    wanted = [tuple(cell.strip() for cell in row) for row in rows]
    wanted = [row for row in wanted if any(row)]
    if not wanted:
        return
    table = separated.read(content, {*head})
    found = [(*row.cells, "", "")[:2] for row in table.rows]
    assert found == wanted


@pytest.mark.parametrize("name", ["Offered To", "offered_to", " offered-to ", "OFFERED  TO"])
def test_names_of_columns_may_be_spelt_otherwise(name: str) -> None:
    assert spelling(name) == "offered to"


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(content: bytes) -> None:
    try:
        text, _ = decoded(content)
    except FileRefusedError as error:
        assert "CSV UTF-8" in str(error)
    else:
        assert "\0" not in text


def test_a_plan_says_which_rows_have_moved() -> None:
    def plan(outcome: Outcome) -> Plan:
        return Plan(rows=[PlannedRow(number=2, name="Lunch", outcome=outcome)])

    seen = plan(Outcome.NEW).digests()
    assert plan(Outcome.NEW).moved_since(seen) == []
    (moved,) = plan(Outcome.UNCHANGED).moved_since(seen)
    assert moved == "Row 2, Lunch: it was new, and is unchanged now."
    assert plan(Outcome.NEW).moved_since({}) == ["Row 2, Lunch: it was not there, and is new now."]
