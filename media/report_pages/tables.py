"""Tables of the pages: each chart has one, and all of them look and print alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from media.report_pages.durations import spoken


@dataclass(frozen=True)
class Head:
    text: str
    kind: str = "text"
    """`text`, `number` or `chart`: how its column is set."""
    explained: str = ""
    drawn: SafeString = field(default_factory=SafeString)
    """A swatch before the text."""
    columns: tuple[str, ...] | None = None
    """What a file calls it, of which there may be several columns; None: as the page does."""

    @property
    def in_file(self) -> tuple[str, ...]:
        if self.kind == "chart":
            return ()
        return (self.text,) if self.columns is None else self.columns


@dataclass(frozen=True)
class Cell:
    text: str
    kind: str = "text"
    drawn: SafeString = field(default_factory=SafeString)
    """A swatch or a bar, before the text."""
    link: str = ""
    marks: Sequence[str] = ()
    """Words that stand small behind the text: "retired", "still running"."""
    lines: Sequence[str] = ()
    """What stands below it."""
    alarm: bool = False
    """Whether it is over a limit, which its text says, too."""
    values: tuple[int | str, ...] | None = None
    """What a file has instead of the text, one for each of its columns; times in seconds."""
    is_usual: bool = False
    """Whether a card on a phone does without it: there is nothing, or nothing to know."""

    @property
    def in_file(self) -> tuple[int | str, ...]:
        if self.kind == "chart":
            return ()
        if self.values is not None:
            return self.values
        marks = f" ({', '.join(self.marks)})" if self.marks else ""
        return (" – ".join([plain(self.text) + marks, *map(plain, self.lines)]),)


@dataclass(frozen=True)
class Table:
    name: str
    """Of its anchor in the page, and of its download."""
    caption: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    """The first cell of a row is its heading."""
    total: Sequence[Cell] = ()
    is_wide: bool = False
    """Whether a phone scrolls it sideways; otherwise each row becomes a card there."""
    empty: str = "Nothing in this time."

    @property
    def headed_rows(self) -> list[list[tuple[Head, Cell]]]:
        return [[*zip(self.heads, row, strict=True)] for row in self.rows]

    @property
    def headed_total(self) -> list[tuple[Head, Cell]]:
        return [*zip(self.heads, self.total, strict=True)] if self.total and self.rows else []


def plain(text: str) -> str:
    """With ordinary blanks."""
    return text.replace("\xa0", " ")


def number(value: int, *, alarm: bool = False) -> Cell:
    is_alarm = alarm and value > 0
    return Cell(f"{value:,}", "number", alarm=is_alarm, values=(value,), is_usual=not value)


def duration(seconds: float, *, alarm: bool = False) -> Cell:
    """Empty time is a dash: a column of "0 s" hides what is there."""
    if not seconds:
        return Cell("–", "number", values=(0,), is_usual=True)
    return Cell(spoken(seconds), "number", alarm=alarm, values=(round(seconds),))


def time_head(text: str, explained: str = "", drawn: SafeString | None = None) -> Head:
    """The head of a column of durations."""
    return Head(text, "number", explained, drawn or SafeString(), (f"{text} (seconds)",))


def words(text: str) -> Cell:
    return Cell(text, "number", is_usual=text == "–")


def bar_cell(drawn: SafeString) -> Cell:
    return Cell("", "chart", drawn)
