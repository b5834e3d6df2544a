"""The elements of SVG."""

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe


def element(tag: str, *content: str, **attributes: object) -> SafeString:
    """An element of SVG with this content; text that is not marked safe is escaped.

    `class_` is the attribute `class`; underscores in other names are hyphens. The policy of our
    pages refuses `style`: use presentation attributes, or classes.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(conditional_escape(one) for one in content)
    return mark_safe(f"<{tag}{written}>{inner}</{tag}>")


def percent(part: float, whole: float) -> str:
    """How far across `part` of `whole` is, from 0 to 100; nothing sticks out."""
    share = min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0
    return f"{round(share * 100, 3):g}%"
