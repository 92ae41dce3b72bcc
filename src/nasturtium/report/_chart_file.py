"""A chart as an SVG file that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.report._axes import HEIGHT, LEFT, WIDTH, Axis, chart_parts
from nasturtium.report._markup import Markup, element

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW = 16
"""Height of a line of the legend."""

_LETTER = 6
"""Width of a letter, a generous one."""

_STYLE = """
text { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1f2328; }
.grid { stroke: #e6e8eb; } .axis { stroke: #9aa2ac; }
.title, .tick-x { text-anchor: middle; } .tick-y { text-anchor: end; } .tick-x, .tick-y { fill: #5c6570; }
"""


def chart_file(x: Axis, y: Axis, *content: Markup, label: str, legend: Sequence[tuple[str, str]]) -> str:
    """Return a chart as an SVG document.

    Args:
        x: The horizontal axis.
        y: The vertical axis.
        content: What is drawn.
        label: What the chart shows, for those who can't see it.
        legend: (color, name) of each line, written below.
    """
    height = HEIGHT + _ROW * len(legend) + 6
    width = max([WIDTH, *(LEFT + 26 + _LETTER * len(name) for _, name in legend)])
    rows = []
    for number, (color, name) in enumerate(legend):
        middle = HEIGHT + _ROW * number + 4
        rows.append(element("rect", x=LEFT, y=middle - 2, width=18, height=4, fill=color))
        rows.append(element("text", name, x=LEFT + 26, y=middle + 4))
    return element(
        "svg",
        element("style", Markup(_STYLE)),
        element("rect", width="100%", height="100%", fill="#ffffff"),
        *chart_parts(x, y, content),
        *rows,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )
