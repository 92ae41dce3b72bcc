"""A network as one SVG file: its own nodes, and beside them the inside of each kind of cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.graphs import draw, nested
from nasturtium.report._format import counted
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.report._networks import inside, network_svg

if TYPE_CHECKING:
    from nasturtium.graphs import Graph, Shape

_GAP = 24.0
_CAPTION = 22.0
_LEAST = 160.0

_STYLE = """
text { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; text-anchor: middle; fill: #1f2328; }
.caption { font-size: 12px; text-anchor: start; fill: #5c6570; }
.name { font-weight: 600; } .detail { fill: #5c6570; }
.node rect { fill: #f1f4f8; stroke: #dfe2e6; } .nested rect { fill: #fdf2e3; stroke: #b4530a; }
.arrow path { stroke: #9aa2ac; stroke-width: 1.2; } .arrow .tip { fill: #9aa2ac; stroke: none; }
.arrow .delayed { stroke-dasharray: 4 3; }
"""


def svg_of(graph: Graph) -> str:
    """Return a closed graph as an SVG document that stands alone.

    Cells are one box each, framed in orange; what is inside of each kind is drawn once, to the
    right. A level that is too large to be read is named instead.

    Args:
        graph: A closed graph.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> svg_of(b.graph(b.add("fc", operations.Linear(3), b.input("x", (4,)))))[:39]
        '<svg xmlns="http://www.w3.org/2000/svg"'
    """
    figures = [_figure("The network", graph, ())]
    figures += [_figure(inside(part), part.graph, part.shapes) for part in nested(graph)]
    placed, left = [], _GAP
    for content, width, _ in figures:
        placed.append(element("g", content, transform=f"translate({coordinate(left)} {coordinate(_GAP)})"))
        left += width + _GAP
    height = max(height for _, _, height in figures) + 2 * _GAP
    return element(
        "svg",
        element("style", Markup(_STYLE)),
        element("rect", width="100%", height="100%", fill="#ffffff"),
        join(placed),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {coordinate(left)} {coordinate(height)}",
        width=left,
        height=height,
    )


def _figure(caption: str, graph: Graph, shapes: tuple[Shape, ...]) -> tuple[Markup, float, float]:
    """Return a level below its caption, with its width and height."""
    drawing = draw(graph, *shapes)
    if drawing is None:
        caption = f"{caption}: too large to draw, {counted(len(graph.nodes), 'node')}"
    body = Markup() if drawing is None else network_svg(drawing, caption)
    text = element("text", caption, x=0.0, y=12.0, class_="caption")
    moved = element("g", body, transform=f"translate(0 {coordinate(_CAPTION)})")
    width = max(_LEAST, 6.5 * len(caption), 0.0 if drawing is None else drawing.width + 12)
    return join([text, moved]), width, _CAPTION + (0.0 if drawing is None else drawing.height + 12)
