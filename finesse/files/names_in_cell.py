"""Several names in one cell, separated by semicolons."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from finesse.db.names import folded

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|((?:[^;"\s][^;]*?)?)\s*)(?:;|\Z)')


@dataclass(frozen=True)
class Named:
    text: str
    is_quoted: bool
    """Quoted it is a name, also where it would be a word with a meaning of its own."""


def parse(cell: str) -> list[Named]:
    """The names in their order. Raises ValueError for a quotation mark that is not closed."""
    return list(_names(cell))


def _names(cell: str) -> Iterator[Named]:
    place = 0
    while place < len(cell):
        found = _NAME.match(cell, place)
        if found is None:
            raise ValueError(
                f"“{cell}” has a quotation mark that is not closed. Separate names by semicolons."
            )
        quoted, plain = found.groups()
        if quoted is not None:
            yield Named(quoted.replace('""', '"').strip(), True)
        elif plain:
            yield Named(plain, False)
        place = found.end()


def write(names: Iterable[str], words: Collection[str] = ()) -> str:
    """`words` are those with a meaning of their own: a name that is one is quoted."""
    return "; ".join(_written(name, words) for name in names)


def _written(name: str, words: Collection[str]) -> str:
    if ";" in name or '"' in name or folded(name) in words:
        return '"{}"'.format(name.replace('"', '""'))
    return name
