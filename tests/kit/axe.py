"""axe in a page: what keeps people out of it who use other devices, or other eyes."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.kit.programs import needed

FOLDER = Path(__file__).parents[1] / "axe"


@cache
def axe() -> str:
    """The script, as the lock file names it; gives up where there is no npm."""
    script, wanted = FOLDER / "node_modules/axe-core/axe.min.js", FOLDER / "package-lock.json"
    if not script.exists() or script.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([needed("npm"), "ci", "--silent"], cwd=FOLDER, check=True, timeout=300)
        script.touch()
    return script.read_text()


def findings(page: Page) -> list[str]:
    """One line for each finding of any level, best practices included.

    The script comes by the debugger, which a page's policy does not concern.
    """
    page.evaluate(axe())
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{one['impact']} {one['id']}: {' '.join(node['target'][0] for node in one['nodes'][:5])}"
        for one in found["violations"]
    ]
