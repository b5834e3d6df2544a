"""Packages that import each other in a circle.

Every import counts: those for the types alone, those inside of functions, and `get_user_model()`,
which is an import of the users' models that no linter sees.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.house.source import Module, Tree

PLATFORM = "finesse"
USERS = "finesse.users.models"

Graph = Mapping[str, set[str]]


def circles(tree: Tree) -> list[list[str]]:
    """The circles at every level: among the rooms, and among what stands in one package.

    Each is a list of packages or modules of which every one reaches every other. At the top
    `media` and `reasoncodes` stand beside what `finesse` holds: its rooms below them, and above
    them what starts it all (`finesse.urls`, `finesse.asgi`).
    """
    imports = {module.name: set(imported(module, tree)) for module in tree.modules.values()}
    found = _circles(_between(imports, _room))
    for package in tree.packages:
        if package != PLATFORM:
            found += _circles(_between(imports, partial(_child, package)))
    return sorted(found)


def imported(module: Module, tree: Tree) -> Iterator[str]:
    """The names of the service's modules that a module imports, wherever in its text."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from package import name`: the name may be a module of its own.
            names = [
                name if (name := f"{node.module}.{alias.name}") in tree.modules else node.module
                for alias in node.names
            ]
        elif isinstance(node, ast.Call) and _called(node) == "get_user_model":
            names = [USERS]
        else:
            continue
        yield from (name for name in names if name in tree.modules)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _between(imports: Graph, group: Callable[[str], str]) -> dict[str, set[str]]:
    """Which groups of modules import which others; modules without a group do not count."""
    graph: dict[str, set[str]] = {}
    for importer, names in imports.items():
        child = group(importer)
        targets = {group(name) for name in names}
        if child:
            graph.setdefault(child, set()).update(targets - {child, ""})
    return graph


def _room(name: str) -> str:
    room = name.partition(".")[0]
    return _child(PLATFORM, name) if room == PLATFORM else room


def _child(package: str, name: str) -> str:
    """The child of the package that the module is or belongs to; empty if it is elsewhere."""
    inside = name.removeprefix(f"{package}.")
    return "" if inside == name else f"{package}.{inside.partition('.')[0]}"


def _circles(graph: Graph) -> list[list[str]]:
    reached = {start: _reachable(graph, start) for start in graph}
    found = {
        tuple(sorted(other for other in reached[start] if start in reached.get(other, ())))
        for start in graph
        if start in reached[start]
    }
    return [list(circle) for circle in found]


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [*graph[start]]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += graph.get(name, ())
    return seen
