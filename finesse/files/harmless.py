"""Texts that spreadsheets would run as formulas are made harmless, and are read back as they were.

A cell that begins with `=`, say `=cmd|…`, is a formula in a spreadsheet. With an
apostrophe before it, it is a text.
"""

import re

_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The full-width forms are formulas in Japanese spreadsheets. Apostrophes before one count as
well: otherwise one that was there and one that was added could not be told apart."""


def harmless(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def original(text: str) -> str:
    """Undoes `harmless`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
