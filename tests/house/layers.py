"""The layers as the import contracts of pyproject.toml draw them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.source import Tree


@dataclass(frozen=True)
class Layers:
    """One contract: what stands in `container`, from the top down."""

    name: str
    container: str
    """Empty if the layers are named in full."""
    rows: tuple[tuple[str, ...], ...]
    """Each row may import those below it; modules of a row do not import each other."""

    def members(self) -> Iterator[str]:
        """The full names of the modules that have a layer."""
        for row in self.rows:
            yield from (f"{self.container}.{name}".lstrip(".") for name in row)


def layers(tree: Tree) -> list[Layers]:
    """The contracts about layers, one for each package that a contract is for."""
    return [
        Layers(contract["name"], container, tuple(map(_row, contract["layers"])))
        for contract in tree.contracts
        if contract["type"] == "layers"
        for container in contract.get("containers", [""])
    ]


def _row(layer: str) -> tuple[str, ...]:
    """The names of a row; one in parentheses is not in each container."""
    return tuple(re.findall(r"[\w.]+", layer))


def outside(tree: Tree) -> list[str]:
    """Modules and packages that have a neighbour in their package, but no layer."""
    placed = {name for contract in layers(tree) for name in contract.members()}
    return [
        name
        for package in tree.packages
        if len(children := tree.children(package)) > 1
        for name in children
        if name not in placed
    ]
