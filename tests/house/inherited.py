"""What a class inherits from libraries, found in their source text."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.house.source import ROOMS


@dataclass(frozen=True)
class Source:
    """A module of a library or of the service, as text that was parsed."""

    syntax: ast.Module
    package: str
    """What relative imports in it start from."""


def inherited_names(of: ast.ClassDef, syntax: ast.Module) -> set[str]:
    """The names that the library classes above `of` define, in their bodies and on `self`."""
    names: set[str] = set()
    for base in of.bases:
        module, class_name = _origin(base, Source(syntax, ""), "")
        if module.partition(".")[0] not in ROOMS:
            names |= _names_of(module, class_name, ())
    return names


def _names_of(module: str, class_name: str, passed: tuple[tuple[str, str], ...]) -> set[str]:
    """The names that a class of a library and the classes above it define."""
    source = _source(module)
    if source is None or (module, class_name) in passed:
        return set()
    passed = (*passed, (module, class_name))
    for node in source.syntax.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            above = (_names_of(*_origin(base, source, module), passed) for base in node.bases)
            return {*_defined(node)}.union(*above)
    # Not defined there but handed on, as by `from package.module import Class` in an __init__.
    found = _imports(source).get(class_name)
    return _names_of(*found, passed) if found else set()


@cache
def _source(module: str) -> Source | None:
    try:
        spec = find_spec(module)
    except Exception:  # No module, or one whose package has to be configured before.
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Source(ast.parse(Path(spec.origin).read_text()), spec.parent or "")


def _origin(base: ast.expr, source: Source, module: str) -> tuple[str, str]:
    """Module and name of a base class; two empty texts if the text does not say."""
    if isinstance(base, ast.Subscript):
        base = base.value
    imports = _imports(source)
    if isinstance(base, ast.Name):
        return imports.get(base.id, (module, base.id))
    if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
        above, name = imports.get(base.value.id, ("", ""))
        return f"{above}.{name}".strip("."), base.attr
    return "", ""


def _imports(source: Source) -> dict[str, tuple[str, str]]:
    """What each imported name stands for: a module, and a name in it."""
    found: dict[str, tuple[str, str]] = {}
    for node in source.syntax.body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = node.module or ""
            if node.level:
                start = source.package.split(".")
                start = start[: len(start) + 1 - node.level]
                above = ".".join([*start, *filter(None, [node.module])])
            found |= {alias.asname or alias.name: (above, alias.name) for alias in node.names}
    return found


def _defined(of: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(of):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name
