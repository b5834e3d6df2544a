"""The modules of a tree, read and parsed but never imported."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOMS = ("finesse", "media", "reasoncodes")
"""The packages of the service, at the top of the tree."""


@dataclass(frozen=True)
class Module:
    """One Python file of the service, without migrations."""

    name: str
    """As it is imported; a package's `__init__` has the name of the package."""
    path: Path
    is_package: bool

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def lines(self) -> int:
        return len(self.path.read_text().splitlines())

    @cached_property
    def syntax(self) -> ast.Module:
        return ast.parse(self.path.read_text())


class Tree:
    """A checkout of some commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules = {module.name: module for module in _modules(root)}

    @cached_property
    def contracts(self) -> list[dict[str, Any]]:
        """The contracts of import-linter, as pyproject.toml has them."""
        settings = tomllib.loads((self.root / "pyproject.toml").read_text())
        found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
        return found

    def children(self, package: str) -> list[str]:
        """The modules and packages that stand directly in a package."""
        return [name for name in self.modules if name.rpartition(".")[0] == package]

    @property
    def packages(self) -> list[str]:
        return [module.name for module in self.modules.values() if module.is_package]


def _modules(root: Path) -> Iterator[Module]:
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" in parts:
                continue
            is_package = parts[-1] == "__init__"
            yield Module(".".join(parts[:-1] if is_package else parts), path, is_package)
