"""`make audit`: whether a version that is pinned has a known vulnerability.

Ends with 0 if none has, with 1 if one has, and with 2 if nothing can be said: pip-audit itself ends
with 0 also if it got no data about any of them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.dependencies.pinned import ROOT

NONE_KNOWN, VULNERABLE, NOT_AUDITED = 0, 1, 2
PIP_AUDIT = Path(sys.prefix) / "audit" / "bin" / "pip-audit"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--osv-url", help="ask this server of OSV's instead of PyPI")
    parser.add_argument("requirements", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    asked = options.requirements or sorted(ROOT.glob("requirements*.txt"))
    service = ("--vulnerability-service", "osv", "--osv-url", options.osv_url)
    worst = NONE_KNOWN
    for requirements in asked:
        worst = max(worst, _audit(requirements, service if options.osv_url else ()))
    return worst


def _audit(requirements: Path, service: Sequence[str]) -> int:
    # Names, versions and hashes are pinned: there is nothing to resolve or to install.
    audited = subprocess.run(
        [
            *(PIP_AUDIT, "--require-hashes", "--disable-pip", "--progress-spinner", "off"),
            *("--format", "json", *service, "--requirement", requirements),
        ],
        capture_output=True,
        text=True,
    )
    try:
        found = json.loads(audited.stdout)["dependencies"]
    except ValueError:
        last = audited.stderr.strip().rpartition("\n")[2]
        print(f"{requirements.name}: NOT AUDITED, no answer about vulnerabilities: {last}")
        return NOT_AUDITED
    return _say(requirements.name, found)


def _say(name: str, found: Sequence[dict[str, Any]]) -> int:
    vulnerable = [one for one in found if one.get("vulns")]
    for one in vulnerable:
        for known in one["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(f"{name}: {one['name']} {one['version']} has {known['id']}; fixed in {fixed}")
    if unknown := [one["name"] for one in found if "skip_reason" in one]:
        print(
            f"{name}: NOT AUDITED, there is no data about {len(unknown)} of {len(found)}"
            f" ({', '.join(unknown[:3])} …). Run it where PyPI itself can be reached."
        )
    else:
        print(f"{name}: {len(found)} audited, {len(vulnerable)} with a known vulnerability")
    if vulnerable:
        return VULNERABLE
    return NOT_AUDITED if unknown or not found else NONE_KNOWN


if __name__ == "__main__":
    sys.exit(main())
