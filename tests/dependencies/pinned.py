"""What requirements*.txt pin."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", re.MULTILINE)


def pinned(requirements: Path = ROOT / "requirements.txt") -> dict[str, str]:
    """The version of each distribution, by its canonical name."""
    return {canonical(name): version for name, version in _PIN.findall(requirements.read_text())}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
