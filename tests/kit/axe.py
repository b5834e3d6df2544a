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


COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that a colour scheme may break; structure, names and roles are the same in each."""

# Contrast would be measured while colours still change. A sheet that a script makes is no concern
# of the page's policy.
WITHOUT_TRANSITIONS = """
const sheet = new CSSStyleSheet();
sheet.replaceSync("*, *::before, *::after { transition: none !important; }");
document.adoptedStyleSheets.push(sheet);
"""


def findings(page: Page) -> list[str]:
    """One line for each finding of any level, best practices included, in the whole page.

    The script comes by the debugger, which a page's policy does not concern.
    """
    page.wait_for_load_state()
    page.evaluate(axe())
    return _lines(page.evaluate("axe.run()"))


def findings_in_both_schemes(page: Page) -> list[str]:
    """As `findings` of a page that is loaded in light, and its colours in dark beside it."""
    found = findings(page)
    page.evaluate(WITHOUT_TRANSITIONS)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("rules => axe.run({runOnly: {type: 'rule', values: rules}})", COLOURS)
    page.emulate_media(color_scheme="light")
    return found + [f"in dark: {line}" for line in _lines(dark)]


def _lines(found: dict[str, Any]) -> list[str]:
    return [
        f"{one['impact']} {one['id']}: {' '.join(node['target'][0] for node in one['nodes'][:5])}"
        for one in found["violations"]
    ]
