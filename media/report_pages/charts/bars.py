"""A bar that stands in a table's row: the parts of one sum, or one number beside the others."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from media.report_pages.charts.columns import Part
from media.report_pages.charts.drawing import element, percent

HEIGHT = 16


def bar(parts: Sequence[Part], whole: float) -> SafeString:
    """The parts beside each other; a bar of `whole` seconds would fill the cell.

    The row says the same in numbers: screen readers pass the bar over.
    """
    drawn = []
    start = 0.0
    for part in parts:
        drawn.append(
            element(
                "rect",
                element("title", part.says),
                x=percent(start, whole),
                width=percent(part.seconds, whole),
                y=1,
                height=HEIGHT - 2,
                fill=part.fill,
                class_="edge",
            )
        )
        start += part.seconds
    return element("svg", *drawn, class_="bar-of", width="100%", height=HEIGHT, aria_hidden="true")
