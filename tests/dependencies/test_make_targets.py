"""Each target of the Makefile installs what its programs import."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from tests.dependencies.pinned import ROOT, canonical, pinned

_RULE = re.compile(r"^([a-z-]+):(?!.*:= )([^=\n#]*)(?:##.*)?\n((?:\t.*\n)+)", re.MULTILINE)
_PROGRAM = re.compile(r"\$\(BIN\)/python (?:-u )?-m ((?:tests|benchmarks)[\w.]*)")
INSTALLED = {
    "$(VENV)/installed": "requirements.txt",
    "$(VENV)/installed-dev": "requirements-dev.txt",
    "$(VENV)/benchmarks/installed": "benchmarks/requirements.txt",
}
"""What each step of the Makefile installs for the Python that runs these programs."""
OURS = {"benchmarks", "finesse", "media", "reasoncodes", "tests"}


def _programs() -> Iterator[tuple[str, str, list[str]]]:
    """The targets that run a program of ours, that program, and what they need before."""
    for target, needed, recipe in _RULE.findall((ROOT / "Makefile").read_text()):
        for program in _PROGRAM.findall(recipe):
            yield target, program, needed.split()


PROGRAMS = [*_programs()]


@pytest.mark.parametrize(
    ("target", "program", "needed"), PROGRAMS, ids=[one[0] for one in PROGRAMS]
)
def test_a_target_installs_what_its_program_imports(
    target: str, program: str, needed: list[str]
) -> None:
    there: set[str] = set()
    for step in needed:
        there |= pinned(ROOT / INSTALLED[step]).keys() if step in INSTALLED else set()
    distributions = packages_distributions()
    missing = {
        name
        for name in _imported(program)
        if not there & {canonical(one) for one in distributions.get(name, [name])}
    }
    assert missing == set(), f"make {target} does not install {', '.join(sorted(missing))}"


def test_targets_with_programs_are_found() -> None:
    assert {"bench", "faults", "house", "pictures", "audit"} <= {one[0] for one in PROGRAMS}


def _imported(program: str) -> set[str]:
    """The packages of others that it imports when it starts, itself or by modules of ours."""
    found, seen, waiting = set(), set(), [program, f"{program}.__main__"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        top, _, rest = name.partition(".")
        if top not in OURS:
            found.add(top)
            continue
        if rest:
            waiting.append(name.rpartition(".")[0])
        waiting += _imports(name)
    return found - sys.stdlib_module_names


def _imports(module: str) -> Iterator[str]:
    """What a module of ours imports, outside functions; nothing if there is no such module."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.exists():
        return
    for node in _outside_functions(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # A name may be a module.
            if node.module.partition(".")[0] in OURS:
                yield from (f"{node.module}.{one.name}" for one in node.names)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _outside_functions(child)
