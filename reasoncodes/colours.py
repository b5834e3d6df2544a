"""Colours of reason codes: each must be seen on the light pages and on the dark ones.

A mark or a bar of a chart needs a contrast of 3 : 1 to what is behind it (WCAG 2.2, 1.4.11).
"""

import re

from django.core.exceptions import ValidationError

LIGHT, DARK = "#ffffff", "#171e27"
"""What the pages have behind their rows (`--surface` in board/viewer.css)."""
LEAST_CONTRAST = 3.0
PALETTE = {
    "Blue": "#2f7ad1",
    "Sky": "#1787b0",
    "Teal": "#17887f",
    "Green": "#3a8c3f",
    "Olive": "#7a8120",
    "Amber": "#b0700a",
    "Orange": "#cb5f1c",
    "Red": "#d64545",
    "Pink": "#cc4888",
    "Purple": "#8d62d2",
    "Brown": "#98704a",
    "Grey": "#748092",
}
"""Colours by the names that people choose them by; each can be told from its neighbours, and is
seen on both backgrounds."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def validate_colour(text: str) -> None:
    """Raises ValidationError for what is no colour, or cannot be seen on one of the pages."""
    if not _HEX.fullmatch(text):
        raise ValidationError(
            f"“{text}” is no colour. Write six hexadecimal digits behind a #, as in "
            f"{PALETTE['Teal']}, or choose one of: {_named()}.",
            code="colour",
        )
    for background, fault, remedy in (
        (LIGHT, "too light to be seen on a white page", "darker"),
        (DARK, "too dark to be seen on a dark page", "lighter"),
    ):
        found = contrast(text, background)
        if found < LEAST_CONTRAST:
            raise ValidationError(
                f"{text} is {fault} (its contrast is {_down(found)} : 1, and must be 3 : 1 at "
                f"least). Choose a {remedy} shade, or one of: {_named()}.",
                code="contrast",
            )


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21 (black and white), as WCAG defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _down(value: float) -> float:
    """To one decimal, and never up to what would have been enough."""
    return int(value * 10) / 10


def _named() -> str:
    return ", ".join(f"{name} {colour}" for name, colour in PALETTE.items())
