"""The report's section that draws the networks of the front."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nasturtium.errors import NasturtiumError
from nasturtium.graphs._drawing import Arrow, Box, Drawing, Nested, draw, nested, shape_text
from nasturtium.report._base import Findings, values_of
from nasturtium.report._format import counted, named_value
from nasturtium.report._grid import facts_table
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.spaces import Networks

if TYPE_CHECKING:
    from nasturtium.graphs import Graph
    from nasturtium.spaces import Architecture
    from nasturtium.trials import Trial

MOST_DRAWN = 12
"""So many networks of the front are drawn."""

MOST_OPEN = 3
"""So many of them are shown unfolded."""

_MARGIN = 6.0
_MOST_TEXT = 4_000
_SHRINK = 0.75  # on a narrow page a drawing shrinks to this, then scrolls


def networks_section(found: Findings) -> Markup:
    """Return the front's architectures, each drawn if it is a network."""
    if not found.front:
        return element("p", "There is no front, so there is nothing to draw.")
    chosen = found.front[:MOST_DRAWN]
    cards = join(_card(found, trial, rank < MOST_OPEN) for rank, trial in enumerate(chosen))
    left_out = len(found.front) - len(chosen)
    more = f"The first {MOST_DRAWN} of {len(found.front):,} are shown." if left_out else ""
    legend = "A box holds operation, output shape and, after the dot, its parameters."
    is_drawn = found.history.study.space.supports(Networks)
    note = " ".join(part for part in (legend if is_drawn else "", more) if part)
    return join(
        [
            element("p", note, class_="note") if note else Markup(),
            element("div", cards, class_="cards"),
        ]
    )


def _card(found: Findings, trial: Trial, is_open: bool) -> Markup:
    values = values_of(trial)
    facts = [named_value(o.metric, values[o.metric]) for o in found.objectives]
    if "params" in values and all(o.metric != "params" for o in found.objectives):
        facts.append(named_value("params", values["params"]))
    title = element("summary", element("b", f"Trial {trial.number}"), f": {', '.join(facts)}")
    architecture = derived(trial)
    is_wide = False
    if architecture is None:
        body = element("p", "The whole space, with no derived architecture.")
    else:
        body, is_wide = shown(found, architecture)
    kind = "card wide" if is_wide else "card"
    return element("details", title, body, class_=kind, open="" if is_open else None)


def shown(found: Findings, architecture: Architecture) -> tuple[Markup, bool]:
    """Return an architecture drawn, or its decisions where it is no network, and whether that is wide."""
    if found.history.study.space.supports(Networks):
        return _network(found, architecture)
    return _decisions(architecture), False


def derived(trial: Trial) -> Architecture | None:
    """Return a trial's architecture; of a whole-space trial, the last one that it derived."""
    if trial.architecture is not None:
        return trial.architecture
    found = [m.architecture for m in trial.measurements if m.architecture is not None]
    return found[-1] if found else None


def _decisions(architecture: Architecture) -> Markup:
    return facts_table({name: json.dumps(v) for name, v in architecture.to_json().items()})


def _network(found: Findings, architecture: Architecture) -> tuple[Markup, bool]:
    """Return the drawings of a network, and whether there are several."""
    try:
        graph = found.history.study.space.graph(architecture)
    except (NasturtiumError, KeyError, TypeError, ValueError) as error:
        return element("p", f"It can't be drawn: {error}"), False
    parts = nested(graph)
    figures = [_figure(graph, "The network; framed in orange, nested graphs" if parts else "")]
    figures += [_figure(part.graph, inside(part), part.shapes) for part in parts]
    text = architecture.text
    source = [
        element("summary", "As text"),
        element("p", f"architecture key {architecture.key}, graph key {graph.key}"),
        element("pre", text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"),
    ]
    drawings = element("div", join(figures), class_="figures")
    return join([drawings, element("details", *source)]), bool(parts)


def inside(part: Nested) -> str:
    """Return the caption of a nested graph."""
    first, *others = part.uses
    shapes = ", ".join(shape_text(shape) for shape in part.shapes)
    inputs = f" (inputs {shapes})" if shapes else ""
    also = f"; {', '.join(others)} look like it, in other sizes" if others else ""
    return f"Inside {first}{inputs}{also}"


def _figure(graph: Graph, caption: str, shapes: tuple[tuple[int, ...], ...] = ()) -> Markup:
    drawing = draw(graph, *shapes)
    if drawing is None:
        n_nodes = counted(len(graph.nodes), "node")
        body = element("p", f"Too large to draw: {n_nodes}. See the exported model.py.")
    else:
        svg = network_svg(drawing, caption or "the network")
        body = element("div", svg, class_="scroll", tabindex="0")
    return element("figure", body, element("figcaption", caption) if caption else "")


def network_svg(drawing: Drawing, label: str) -> Markup:
    """Return a drawing as SVG.

    Args:
        drawing: The boxes and arrows, laid out.
        label: What it shows, for those who can't see it.
    """
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    content = [*(_arrow(arrow) for arrow in drawing.arrows), *(_box(box) for box in drawing.boxes)]
    shifted = element("g", join(content), transform=f"translate({_MARGIN:g} {_MARGIN:g})")
    return element(
        "svg",
        shifted,
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=width,
        height=height,
        class_="network",
        style=f"min-width: {_SHRINK * width:.0f}px",
        role="img",
        aria_label=f"{label}: {len(drawing.boxes)} nodes",
    )


def _box(box: Box) -> Markup:
    (x, y), (width, height) = box.center, box.size
    top = y - height / 2
    lines = [
        element("text", line, x=x, y=top + 16 + 15 * i, class_="name" if i == 0 else "detail")
        for i, line in enumerate(box.lines)
    ]
    border = element("rect", x=x - width / 2, y=top, width=width, height=height, rx=5)
    kind = "nested" if box.is_nested else "node"
    return element("g", element("title", box.detail), border, join(lines), class_=kind)


def _arrow(arrow: Arrow) -> Markup:
    (x, y), *rest = arrow.points
    course = f"M{coordinate(x)} {coordinate(y)}"
    if arrow.is_delayed:
        course += "C" + " ".join(f"{coordinate(a)} {coordinate(b)}" for a, b in rest)
    else:
        for a, b in rest:
            course += _stretch(x, y, a, b)
            x, y = a, b
    tip_x, tip_y = arrow.points[-1]
    side = "l6 -3v6z" if arrow.is_delayed else "l-3 -6h6z"
    tip = element("path", d=f"M{coordinate(tip_x)} {coordinate(tip_y)}{side}", class_="tip")
    ends = f"{arrow.source} to {arrow.target}"
    title = f"{ends}: {arrow.detail}" if arrow.detail else ends
    delayed = f"{title}, of the step before" if arrow.is_delayed else title
    line = element("path", d=course, fill="none", class_="delayed" if arrow.is_delayed else None)
    return element("g", element("title", delayed), line, tip, class_="arrow")


def _stretch(x: float, y: float, a: float, b: float) -> str:
    """Return the piece of a path from (x, y) down to (a, b), upright at both ends."""
    if a == x:
        return f"V{coordinate(b)}"
    middle, end = coordinate((y + b) / 2), coordinate(a)
    return f"C{coordinate(x)} {middle} {end} {middle} {end} {coordinate(b)}"
