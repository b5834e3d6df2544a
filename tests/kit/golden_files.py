"""The documents of tests/golden, as the protocol's pages print them."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("*.xml"))


def golden(name: str) -> str:
    return (FOLDER / f"{name}.xml").read_text(encoding="utf-8")
