"""Private names of libraries that the service uses: what breaks at an upgrade without a word.

Three kinds are found in the text: names that are imported with an underscore; attributes and keys
with one that nothing in the service defines; and in a class that inherits from a library's, the
names that the library's class defines.
"""

import ast
from collections import Counter
from collections.abc import Iterator

from tests.house.inherited import inherited_names
from tests.house.source import ROOMS, Module, Tree

DOCUMENTED = {"_meta", "_default_manager", "_base_manager", "_replace", "_asdict", "_fields"}
"""Public in spite of their underscore: Django and Python document them."""


def private_names(tree: Tree) -> Counter[str]:
    """How often each name is used."""
    modules = tree.modules.values()
    ours = {name for module in modules for name in _defined(module.syntax)}
    uses: Counter[str] = Counter()
    for module in modules:
        uses.update(_imported(module))
        uses.update(name for name in _used(module.syntax) if name not in ours)
        for node in ast.walk(module.syntax):
            if isinstance(node, ast.ClassDef):
                theirs = inherited_names(node, module.syntax) & ours
                uses.update(name for name in [*_used(node), *_declared(node)] if name in theirs)
    return Counter({name: count for name, count in uses.items() if _is_private(name)})


def _is_private(name: str) -> bool:
    # With two underscores it is a lookup of Django's, as in `name__range`.
    is_hidden = name.startswith("_") and not name.startswith("__") and not name.endswith("_")
    return is_hidden and name not in DOCUMENTED


def _used(syntax: ast.AST) -> Iterator[str]:
    """Attributes, and texts that may name one, as in `vars(model)["_state"]`."""
    # A part of an f-string, as in f"{name}_label", names nothing by itself.
    parts = {
        part for node in ast.walk(syntax) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(syntax):
        match node:
            case ast.Attribute(attr=name):
                yield name
            case ast.Constant(value=str(name)) if name.isidentifier() and node not in parts:
                yield name


def _imported(module: Module) -> Iterator[str]:
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.ImportFrom) and node.module:
            path = node.module.split(".")
            if path[0] not in ROOMS:
                yield from [*path, *(alias.name for alias in node.names)]


def _defined(syntax: ast.AST) -> Iterator[str]:
    """The names that a module defines: functions, classes, variables, attributes it sets."""
    yield from _declared(syntax)
    for node in ast.walk(syntax):
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name(), attr=name, ctx=ast.Store()):
                yield name
            case ast.Subscript(
                value=ast.Attribute(attr="__dict__"), slice=ast.Constant(value=str(name))
            ):
                yield name


def _declared(syntax: ast.AST) -> Iterator[str]:
    """Functions and variables, so in a class its methods and what its body names."""
    for node in ast.walk(syntax):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
