"""For the list of reason codes."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template

register = template.Library()


@register.filter
def beside(rows: Iterable[Any], codes: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each row as Django has drawn it, with its reason code."""
    return zip(rows, codes, strict=True)
