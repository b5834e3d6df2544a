"""docs/layers.svg: the import contracts, drawn. What stands higher may import what stands below."""

from collections.abc import Iterator
from html import escape

from tests.house.layers import Layers

COLUMN = 420
GAP = 24
ROW = 28
BOX = 22
CHARACTER = 6.7
"""Width of a character at 11 px in a font of fixed width, in px like the others."""
TITLE = 30
COLUMNS = 3

STYLE = """text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#1f2937}
.title{font:600 13px system-ui,sans-serif}.row{fill:#eef2f7}.box{fill:#fff;stroke:#7c8ba1}"""


def picture(contracts: list[Layers]) -> str:
    """An SVG document with one drawing for each contract, in columns of about the same height."""
    heights = [GAP] * COLUMNS
    drawn: list[str] = []
    for contract in contracts:
        column = heights.index(min(heights))
        left = GAP + column * (COLUMN + GAP)
        lines, height = _drawing(contract)
        drawn += [f'<g transform="translate({left} {heights[column]})">', *lines, "</g>"]
        heights[column] += height + GAP
    width, height = GAP + COLUMNS * (COLUMN + GAP), max(heights)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">',
            "<title>The layers: imports point down only</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def _drawing(contract: Layers) -> tuple[list[str], int]:
    """Its lines, and its height in px."""
    lines = [f'<text class="title" y="14">{escape(_title(contract))}</text>']
    top = TITLE
    for row in contract.rows:
        shelves = list(_shelves(row))
        height = ROW * len(shelves)
        lines.append(f'<rect class="row" y="{top}" width="{COLUMN}" height="{height}" rx="4"/>')
        for shelf in shelves:
            lines += _boxes(shelf, top + (ROW - BOX) // 2)
            top += ROW
        top += 4
    return lines, top


def _title(contract: Layers) -> str:
    if not contract.container or contract.name.endswith(contract.container):
        return contract.name
    return f"{contract.name}: {contract.container}"


def _shelves(row: tuple[str, ...]) -> Iterator[list[str]]:
    """The names of a row, as many on each line as fit."""
    shelf: list[str] = []
    for name in row:
        if shelf and sum(map(_width, [*shelf, name])) > COLUMN:
            yield shelf
            shelf = []
        shelf.append(name)
    yield shelf


def _boxes(names: list[str], top: int) -> Iterator[str]:
    left = 6.0
    for name in names:
        width = _width(name) - 8
        yield (
            f'<rect class="box" x="{left:.0f}" y="{top}" width="{width:.0f}" '
            f'height="{BOX}" rx="3"/>'
            f'<text x="{left + 8:.0f}" y="{top + 15}">{escape(name)}</text>'
        )
        left += width + 8


def _width(name: str) -> float:
    return len(name) * CHARACTER + 24
