"""Drawings of graphs as geometry: boxes with their lines of text, and the links between them.

A drawing shows one level: a nested graph is one box, and ``nested`` lists what is inside. Whoever
shows it (the report does, as SVG) chooses colors and fonts. ``docs/explanation`` says why the layout
in ``_layers`` is ours; Mermaid text (``_mermaid``) leaves it to Mermaid.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import NasturtiumError
from nasturtium.graphs._base import OPERATIONS, Operation, Shape
from nasturtium.graphs._graph import Graph, Node, OpenOperation
from nasturtium.graphs._layers import Point, layered, n_bends
from nasturtium.graphs.operations._input import Input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nasturtium.graphs._infer import Inference

LINE = 15.0
"""Height of a line of text."""

READABLE = 1_500
"""Boxes and bends of the largest drawing that anybody could read."""

_CHARACTER = 6.4  # mean width at the size that goes with LINE
_LONGEST = 30
_LOOP = 34.0


@final
@dataclass(frozen=True, slots=True)
class Box:
    """One node.

    Args:
        name: The node's name.
        lines: What stands in it: operation, hyper-parameters, shape and parameters.
        detail: The node in full, for a hover text.
        center: Where its middle is.
        size: Width and height.
        is_nested: Whether it is a graph itself.
    """

    name: str
    lines: tuple[str, ...]
    detail: str
    center: Point
    size: Point
    is_nested: bool


@final
@dataclass(frozen=True, slots=True)
class Arrow:
    """One edge.

    Args:
        source: Name of the node it leaves.
        target: Name of the node it reaches.
        points: Its course, from border to border.
        is_delayed: Whether it brings the value of the step before.
        detail: Output and weight where the edge has one, for a hover text.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    is_delayed: bool = False
    detail: str = ""


@final
@dataclass(frozen=True, slots=True)
class Drawing:
    """One level of a graph, laid out; the origin is the upper left corner, y grows downward."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


@final
@dataclass(frozen=True, slots=True)
class Described:
    """What a node's box says.

    Args:
        lines: What stands in it: operation, hyper-parameters, shape and parameters.
        detail: The node in full, for a hover text.
        is_nested: Whether it is a graph itself.
        is_input: Whether the graph is fed there.
    """

    lines: tuple[str, ...]
    detail: str
    is_nested: bool
    is_input: bool


@final
@dataclass(frozen=True, slots=True)
class Nested:
    """A graph inside another one.

    Args:
        graph: The one that occurs first among those that look alike.
        shapes: The shapes that reach it there; empty if they are not known.
        uses: Names of all the nodes that look like it, channels aside; the first is ``graph``'s.
    """

    graph: Graph
    shapes: tuple[Shape, ...]
    uses: tuple[str, ...]


def draw(graph: Graph, *inputs: Shape) -> Drawing | None:
    """Return the drawing of a closed graph's own nodes; None if it is too large to be read.

    Args:
        graph: The graph.
        inputs: Shapes of its inputs; none means those that it declares. Where they can't be
            inferred the boxes hold no shapes.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.add("conv", operations.Conv(out=4), b.input("image", (1, 8, 8)))
        >>> [box.lines for box in draw(b.graph(x)).boxes]
        [('image', '1×8×8'), ('conv 3×3', '4×8×8 · 44')]
    """
    index = {node.name: i for i, node in enumerate(graph.nodes)}
    edges = [(e, node) for node in graph.nodes for e in node.edges]
    links = [(index[e.source], index[node.name]) for e, node in edges if not e.delay]
    if len(graph.nodes) + n_bends(len(graph.nodes), links) > READABLE:
        return None
    shown = described(graph, *inputs)
    sizes = [_size(each.lines) for each in shown]
    placed = layered(sizes, links)
    boxes = tuple(
        Box(n.name, each.lines, each.detail, center, size, each.is_nested)
        for n, each, center, size in zip(graph.nodes, shown, placed.centers, sizes, strict=True)
    )
    by_name = {box.name: box for box in boxes}
    routes = iter(placed.routes)
    arrows = []
    for e, node in edges:
        points = _loop(by_name[e.source], by_name[node.name]) if e.delay else next(routes)
        parts = [e.output or "", "" if e.weight is None else f"weight {e.weight:g}"]
        detail = ", ".join(part for part in parts if part)
        arrows.append(Arrow(e.source, node.name, points, bool(e.delay), detail))
    room = _LOOP if any(arrow.is_delayed for arrow in arrows) else 0.0
    return Drawing(boxes, tuple(arrows), placed.width + room, placed.height)


def described(graph: Graph, *inputs: Shape) -> list[Described]:
    """Return what the boxes of a closed graph's own nodes say, in their order."""
    known = _inferred(graph, inputs)
    return [
        Described(_lines(n, known), _detail(n, known), isinstance(n.op, Graph), isinstance(n.op, Input))
        for n in graph.nodes
    ]


def nested(graph: Graph, *inputs: Shape) -> list[Nested]:
    """Return the graphs inside a graph, at any depth, each look once, in order of appearance."""
    found: dict[Any, Nested] = {}
    _collect(graph, inputs, found)
    return list(found.values())


def _collect(graph: Graph, inputs: tuple[Shape, ...], found: dict[Any, Nested]) -> None:
    known = _inferred(graph, inputs)
    for node in graph.nodes:
        if not isinstance(node.op, Graph):
            continue
        shapes = known.arriving[node.name] if known else ()
        look = _look(node.op)
        if look in found:
            found[look] = replace(found[look], uses=(*found[look].uses, node.name))
            continue
        found[look] = Nested(node.op, shapes, (node.name,))
        _collect(node.op, shapes, found)


def _look(graph: Graph) -> Any:
    """Return what graphs share that differ in channels only."""
    return (
        tuple((n.name, _look(n.op) if isinstance(n.op, Graph) else _labels(n.op), n.edges) for n in graph.nodes),
        graph.outputs,
    )


def _inferred(graph: Graph, inputs: tuple[Shape, ...]) -> Inference | None:
    try:
        return graph.infer(*inputs)
    except NasturtiumError:
        return None


def _loop(source: Box, target: Box) -> tuple[Point, ...]:
    """Return the course of a delayed edge: out at the right, and back in there."""
    (x0, y0), (x1, y1) = source.center, target.center
    x0, x1 = x0 + source.size[0] / 2, x1 + target.size[0] / 2
    side = max(x0, x1) + _LOOP * 0.8
    return (x0, y0 + 5), (side, y0 + 5), (side, y1 - 5), (x1, y1 - 5)


def _size(lines: Sequence[str]) -> Point:
    longest = max(len(line) for line in lines)
    return max(44.0, longest * _CHARACTER + 14), len(lines) * LINE + 8


def _lines(node: Node, known: Inference | None) -> tuple[str, ...]:
    """Return the text of a box."""
    if isinstance(node.op, Graph):
        title, extra = node.name, f"{len(node.op.nodes)} nodes"
    elif isinstance(node.op, Input):
        title, extra = node.name, ""
    else:
        title, extra = _labels(node.op)
    lines = [title, extra] if extra else [title]
    if known is not None:
        params = _params(node, known)
        shape = shape_text(known.shapes[node.name])
        lines.append(f"{shape} · {params:,}" if params else shape)
    return tuple(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines)


def _params(node: Node, known: Inference) -> int:
    arriving = known.arriving[node.name]
    if isinstance(node.op, Graph):
        return node.op.infer(*arriving).params
    assert not isinstance(node.op, OpenOperation)
    return node.op.params(*arriving) if node.edges else 0


def _labels(op: Operation | OpenOperation) -> tuple[str, str]:
    """Return an operation's name with window and stride, and its other hyper-parameters.

    Channels are left out, since the shape says them, and what is as usual.
    """
    assert not isinstance(op, OpenOperation), "a drawing is of a closed graph"
    arguments = {**op.arguments()}
    title = OPERATIONS.name_of(type(op)) or type(op).__name__
    arguments.pop("out", None)
    kernel, stride = arguments.pop("kernel", None), arguments.pop("stride", 1)
    if kernel is not None:
        title += " {}×{}".format(*(kernel if isinstance(kernel, tuple) else (kernel, kernel)))
    if stride != 1:
        title += f" /{stride}"
    if list(arguments) == list(op.arguments()) and len(arguments) == 1:  # its kind, such as relu
        return title, _plain(*arguments.values())
    return title, ", ".join(_changed(op, arguments))


def _changed(op: Operation, arguments: Mapping[str, Any]) -> list[str]:
    """Return the hyper-parameters that differ from their defaults."""
    defaults = {f.name: f.default for f in fields(op)}
    return [
        name if value is True else f"{name}={_plain(value)}"
        for name, value in arguments.items()
        if value != defaults[name]
    ]


def _plain(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def _detail(node: Node, known: Inference | None) -> str:
    """Return a node in full, such as ``conv_0: conv(out=8, kernel=3), 1×28×28 -> 8×28×28``."""
    if isinstance(node.op, Graph):
        text = f"{node.name}: graph of {len(node.op.nodes)} nodes"
    else:
        assert isinstance(node.op, Operation)
        name = OPERATIONS.name_of(type(node.op)) or type(node.op).__name__
        arguments = ", ".join(f"{k}={_plain(v)}" for k, v in node.op.arguments().items())
        text = f"{node.name}: {name}({arguments})"
    if known is None:
        return text
    arriving = ", ".join(shape_text(shape) for shape in known.arriving[node.name])
    arrow = f"{arriving} -> " if arriving else ""
    params = _params(node, known)
    end = f", {params:,} parameters" if params else ""
    return f"{text}, {arrow}{shape_text(known.shapes[node.name])}{end}"


def shape_text(shape: Shape) -> str:
    """Return a shape as people write it.

    Example:
        >>> shape_text((8, 28, 28))
        '8×28×28'
    """
    return "×".join(str(side) for side in shape) or "scalar"
