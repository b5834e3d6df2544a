"""`make house`: print the figures of this tree, beside those of an earlier commit if one is named.

Writes docs/layers.svg; with --since also the table in docs/architecture.md.
"""

import argparse
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from tests.house.figures import details, lines_by_room, summary
from tests.house.layers import layers
from tests.house.picture import picture
from tests.house.source import Tree

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "layers.svg"
BEGIN, END = "<!-- make house: begin -->\n", "<!-- make house: end -->"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make house", description=__doc__)
    parser.add_argument("--since", metavar="COMMIT", help="show what that commit had, too")
    parser.add_argument("--details", action="store_true", help="name what is counted")
    options = parser.parse_args()
    now = Tree(ROOT)
    PICTURE.write_text(picture(layers(now)))
    if options.since:
        with tempfile.TemporaryDirectory() as folder:
            text = table([options.since, "now"], [_at(options.since, Path(folder)), now])
        _keep(text)
    else:
        text = table(["now"], [now])
    print(text)
    if options.details:
        print("\n".join(details(now)))


def table(titles: Sequence[str], trees: Sequence[Tree]) -> str:
    """Markdown: a line for each room and each figure, a column for each tree."""
    rooms = [lines_by_room(tree) for tree in trees]
    figures = [summary(tree) for tree in trees]
    lines = [_line(["", *titles]), "|---" + "|---:" * len(trees) + "|"]
    for room in _keys(rooms):
        counts = (f"{each[room]:,}" if room in each else "" for each in rooms)
        lines.append(_line([f"`{room}`, lines", *counts]))
    for figure in _keys(figures):
        lines.append(_line([figure, *(each.get(figure, "") for each in figures)]))
    return "\n".join(lines)


def _keys(columns: Sequence[Mapping[str, object]]) -> list[str]:
    """The keys of all, in the order of the last column, then those that only earlier ones have."""
    return list(dict.fromkeys(key for column in reversed(columns) for key in column))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _at(commit: str, folder: Path) -> Tree:
    """The files of a commit, without touching the checkout."""
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return Tree(folder)


def _keep(text: str) -> None:
    document = ARCHITECTURE.read_text()
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    ARCHITECTURE.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
