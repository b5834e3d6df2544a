"""The figures as one SVG picture: a bar for each ratio to what is compared with."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.figures import Figure, rounded

WIDTH = 1000
LEFT = 430
"""The x at which the bars begin."""
RIGHT = 150
"""The width of the text to the right of the longest bar."""
ROW = 34
TOP = 96
LONGEST_RATIO = 1.2
"""A bar of this ratio or more has the full width."""

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1c1c1c }
  .title { font-size: 18px; font-weight: 600 } .small { font-size: 11px; fill: #666 }
  .bar { fill: #2a78b8 } .missed { fill: #c4622d } .line { stroke: #bbb }
  .target { stroke: #1c1c1c; stroke-width: 2 } .back { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #eee } .small { fill: #aaa } .line { stroke: #555 } .target { stroke: #eee }
    .back { fill: #16181b }
  }
"""


def picture(figures: Sequence[Figure], about: Mapping[str, str]) -> str:
    """An SVG with a bar for each figure that has a ratio, and a mark at its target."""
    shown = [figure for figure in figures if figure.shown and figure.ratio is not None]
    height = TOP + ROW * len(shown) + 24
    scale = (WIDTH - LEFT - RIGHT) / LONGEST_RATIO
    end = LEFT + scale
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        '<text class="title" x="24" y="34">How close to the ceiling</text>',
        f'<text class="small" x="24" y="56">{escape(_about(about))}</text>',
        '<text class="small" x="24" y="74">1 is as good as what it is compared with; '
        "the black mark is the target; orange: missed</text>",
        f'<line class="line" x1="{end:.0f}" x2="{end:.0f}" y1="{TOP - 8}" y2="{height - 20}"/>',
        f'<text class="small" x="{end - 3:.0f}" y="{TOP - 12}">1</text>',
    ]
    for number, figure in enumerate(shown):
        lines += _row(figure, TOP + ROW * number, scale)
    return "\n".join([*lines, "</svg>", ""])


def _row(figure: Figure, y: int, scale: float) -> list[str]:
    ratio = figure.ratio or 0.0
    width = scale * min(ratio, LONGEST_RATIO)
    kind = "bar missed" if figure.met is False else "bar"
    words = f"{ratio:.2f}, {rounded(figure.median):,g} {figure.unit}"
    has_mark = figure.target is not None and figure.target.of == "ratio"
    mark = scale * figure.target.bound if figure.target and has_mark else 0.0
    # Where the mark is beyond the bar, the words go beyond the mark.
    words_at = LEFT + max(width, mark) + 10
    lines = [
        f'<text x="{LEFT - 12}" y="{y + 17}" text-anchor="end">{escape(figure.name)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{y + 3}" width="{width:.1f}" height="20" rx="2"/>',
        f'<text x="{words_at:.1f}" y="{y + 17}">{escape(words)}</text>',
    ]
    if has_mark:
        x = LEFT + mark
        lines.append(f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 26}"/>')
    return lines


def _about(about: Mapping[str, str]) -> str:
    return ", ".join(
        [
            about["date"],
            f"{about['cores']} cores of {about['processor']}",
            about["memory"],
            f"Python {about['python']}",
            f"{about['form']} form",
        ]
    )
