"""The figures of one tree."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from tests.house.circles import circles
from tests.house.layers import outside
from tests.house.private_names import private_names
from tests.house.source import Tree

DURATION = Path("test-results") / "duration.json"
"""Where `make test` leaves what the whole suite took; git-ignored."""
BESIDE = (".xsd", ".html", ".js", ".css", ".lua")
"""Files beside Python that are written by hand."""


@dataclass(frozen=True, order=True)
class Function:
    lines: int
    name: str


def functions(tree: Tree) -> list[Function]:
    """Every function and method, from `def` to its last line, the longest first."""
    return sorted(
        (
            Function(node.end_lineno - node.lineno + 1, f"{module.name}.{node.name}")
            for module in tree.modules.values()
            for node in ast.walk(module.syntax)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
        ),
        reverse=True,
    )


def lines_by_room(tree: Tree) -> dict[str, int]:
    """Lines of Python by package, as `finesse.db`, `media.writing` or `reasoncodes`.

    What stands directly in `finesse` or `media` is a room of its own.
    """
    rooms: dict[str, int] = {}
    for module in tree.modules.values():
        room = _room(module.package)
        rooms[room] = rooms.get(room, 0) + module.lines
    return rooms


def _room(package: str) -> str:
    """The package, at most two names deep: a deeper module belongs to that room."""
    return ".".join(package.split(".")[:2])


def summary(tree: Tree) -> dict[str, str]:
    """What the table says below the rooms."""
    all_functions = functions(tree)
    lengths = [function.lines for function in all_functions]
    longest = max(tree.modules.values(), key=lambda module: module.lines)
    names = private_names(tree)
    return {
        "Python, all rooms": f"{sum(module.lines for module in tree.modules.values()):,}",
        **{
            f"{suffix} beside it": f"{lines:,}"
            for suffix in BESIDE
            if (lines := sum(_lines_beside(tree, suffix)))
        },
        "modules": str(len(tree.modules)),
        "longest file": f"{longest.lines} ({longest.path.relative_to(tree.root)})",
        "longest function": f"{lengths[0]} ({all_functions[0].name})",
        "functions": f"{len(lengths):,}",
        "median function": f"{median(lengths):.0f}",
        "90 of 100 functions have at most": f"{quantiles(lengths, n=10)[-1]:.0f}",
        "packages that import each other in a circle": str(sum(map(len, circles(tree)))),
        "modules outside the layers": str(len(outside(tree))),
        "private names of libraries": str(len(names)),
        "uses of these": str(names.total()),
        **duration(tree),
    }


def _lines_beside(tree: Tree, suffix: str) -> Iterator[int]:
    for place in ("finesse", "media", "reasoncodes", "templates", "deploy"):
        for path in (tree.root / place).rglob(f"*{suffix}"):
            yield len(path.read_text().splitlines())


def duration(tree: Tree) -> dict[str, str]:
    """What the last complete `make test` took in this tree, if there was one."""
    path = tree.root / DURATION
    if not path.exists():
        return {}
    seconds = json.loads(path.read_text())
    return {
        "`make test`, seconds": f"{seconds['wall']:,}",
        "`make test`, CPU seconds": f"{seconds['cpu']:,.0f}",
    }


def details(tree: Tree) -> Iterator[str]:
    """Details for a reader who finds a figure too large, a line each."""
    for circle in circles(tree):
        yield f"circle: {', '.join(circle)}"
    for name in outside(tree):
        yield f"outside the layers: {name}"
    for name, count in sorted(private_names(tree).items()):
        yield f"private name of a library: {name} ({count})"
    for function in functions(tree)[:5]:
        yield f"long function: {function.name} ({function.lines})"
    for module in sorted(tree.modules.values(), key=lambda one: -one.lines)[:5]:
        yield f"long file: {module.path.relative_to(tree.root)} ({module.lines})"
