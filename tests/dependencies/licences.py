"""`make licences`: write docs/licences.md, the licences of what the service runs on."""

import json
import subprocess
import sys
from pathlib import Path

from tests.dependencies.pinned import ROOT, canonical, pinned

PAGE = ROOT / "docs" / "licences.md"
PIP_LICENSES = Path(sys.prefix) / "audit" / "bin" / "pip-licenses"
ELSEWHERE = {"async-timeout": "Apache-2.0", "tzdata": "Apache-2.0"}
"""Pinned, but installed on other systems or older releases of Python only."""
HEAD = """# Licences

This project is under [Apache-2.0](../LICENSE). It runs on these packages, which `requirements.txt`
pins; none is part of it, and `pip` gets each from its authors. The words are those of the packages
themselves. `make licences` writes this page, `make sbom` a bill of materials with versions and
licences (CycloneDX).

| package | licence |
|---|---|
"""


def page() -> str:
    """As the packages that are installed here have it. Raises KeyError if one is not installed."""
    licences = {**ELSEWHERE, **_installed()}
    return HEAD + "".join(f"| {name} | {licences[name]} |\n" for name in sorted(pinned()))


def _installed() -> dict[str, str]:
    # What it needs itself is installed in its own environment, and may be pinned here, too.
    listed = subprocess.run(
        [
            *(PIP_LICENSES, "--python", sys.executable, "--with-system"),
            *("--from", "mixed", "--format", "json"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return {canonical(one["Name"]): one["License"] for one in json.loads(listed.stdout)}


if __name__ == "__main__":
    PAGE.write_text(page())
