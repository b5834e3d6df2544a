"""What docs/supervisors.md promises, so that tests compare it with what a browser has counted."""

import re
from functools import cache

from tests.kit.installation import ROOT

_ROW = re.compile(
    r"\| (?P<task>[^|]+?)(?: \(counted by [^|]*\))? \| [^|]+ \| (?P<takes>\d+): [^|]+ \|"
)


@cache
def _tasks() -> dict[str, int]:
    text = (ROOT / "docs" / "supervisors.md").read_text()
    _, _, section = text.partition("## In how many clicks\n")
    table, _, _ = section.partition("\n## ")
    return {row["task"]: int(row["takes"]) for row in _ROW.finditer(table)}


def takes(task: str) -> int:
    """The clicks that a task takes, as the guide says. Raises KeyError for one that it lacks."""
    return _tasks()[task]
