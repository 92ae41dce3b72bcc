"""Peak activation memory of a graph: the most that is held at one moment of a forward pass."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.graphs._base import Composite, Operation, Shape
from nasturtium.graphs._graph import Edge, Graph, Node
from nasturtium.graphs._infer import output_index
from nasturtium.graphs.operations._pointwise import Dropout, Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.graphs._infer import Inference

Value = tuple[str, int, int]
"""A value of one level: its node, which of the node's outputs, and the delay with which it is read."""

FLOAT_BYTES = 4

_ALIASES = (Identity, Dropout)
"""Operations that hand on their input: an inference makes no second copy of it."""


def peak_bytes(graph: Graph, inputs: tuple[Shape, ...]) -> int:
    """Return the peak of a forward pass without gradients, in bytes, for one example in float32.

    The nodes run in their order. While one runs, what it reads, what it makes and what a later node
    or an output still needs is held; the inputs are the caller's and are held all along. A nested
    graph and a composite add the peak of their insides. Weights and the scratch memory of a kernel
    do not count, and neither does what a training keeps for its gradients.

    Args:
        graph: A closed graph.
        inputs: One shape an input node; none means those that the input nodes declare.
    """
    found = graph.infer(*inputs)
    return sum(FLOAT_BYTES * prod(found.shapes[node.name]) for node in graph.inputs) + _inner_peak(graph, inputs)


def _inner_peak(graph: Graph, inputs: tuple[Shape, ...]) -> int:
    """Return the peak of what the graph itself makes, without its inputs, in bytes (memoized)."""
    return graph.memoized(("peak", inputs), lambda: _simulated(graph, graph.infer(*inputs)))


class _Moment(NamedTuple):
    """What happens to values while a node runs.

    Attributes:
        node: The node.
        made: The values that it makes; none of an input or an alias.
        freed: Those that nothing needs any more behind it, its own included.
    """

    node: Node
    made: tuple[Value, ...]
    freed: tuple[Value, ...]


def _simulated(graph: Graph, found: Inference) -> int:
    """Run the nodes in order, and return the most bytes that were held at a time."""
    before, moments = graph.memoized("moments", lambda: _moments(graph))
    sizes = {value: _size(graph, found, value) for value in before}
    peak = held = sum(sizes.values())
    for node, made, freed in moments:
        if made:
            out = 0
            for value in made:
                sizes[value] = size = _size(graph, found, value)
                out += size
            peak = max(peak, held + max(out, _inside(node, found.arriving[node.name])))
            held += out
        for value in freed:
            held -= sizes[value]
    return peak


def _moments(graph: Graph) -> tuple[tuple[Value, ...], tuple[_Moment, ...]]:
    """Return the values of the step before, and what happens at each node; the same for all shapes."""
    given = {node.name for node in graph.inputs}
    last_reader = _last_readers(graph)
    freed: dict[int, list[Value]] = {}
    for value, position in last_reader.items():
        if value[0] not in given:
            freed.setdefault(position, []).append(value)
    moments = []
    for position, node in enumerate(graph.nodes):
        n_made = (
            0 if node.name in given or _is_alias(node) else len(node.op.outputs) if isinstance(node.op, Graph) else 1
        )
        made = tuple((node.name, i, 0) for i in range(n_made))
        unread = [value for value in made if value not in last_reader]
        moments.append(_Moment(node, made, (*freed.get(position, ()), *unread)))
    return tuple(value for value in last_reader if value[2]), tuple(moments)


def _inside(node: Node, arriving: tuple[Shape, ...]) -> int:
    """Return the peak inside of a nested graph or a composite; a plain operation makes its output alone."""
    if isinstance(node.op, Graph):
        return _inner_peak(node.op, arriving)
    assert isinstance(node.op, Operation)
    return _operation_peak(node.op, arriving)


@lru_cache(maxsize=1 << 14)
def _operation_peak(op: Operation, arriving: tuple[Shape, ...]) -> int:
    return _inner_peak(op.opened(*arriving), arriving) if isinstance(op, Composite) else 0


def _last_readers(graph: Graph) -> dict[Value, int]:
    """Return the position behind which each value is no longer needed; one that nothing reads has none."""
    end = len(graph.nodes)
    origin: dict[str, Value] = {}
    for node in graph.nodes:
        if _is_alias(node):
            origin[node.name] = _read(graph, node.edges[0], origin)
    last: dict[Value, int] = {}
    for position, node in enumerate(graph.nodes):
        last.update((_read(graph, edge, origin), position) for edge in node.edges)
    delayed = [_read(graph, replace(e, delay=0), origin) for n in graph.nodes for e in n.edges if e.delay]
    kept = [origin.get(name, (name, 0, 0)) for name in graph.outputs]
    return {**last, **dict.fromkeys([*delayed, *kept], end)}  # the next step needs what this one makes


def _read(graph: Graph, edge: Edge, origin: Mapping[str, Value]) -> Value:
    """Return the value that an edge brings, looking through aliases."""
    value = (edge.source, output_index(graph, edge), edge.delay)
    return value if edge.delay else origin.get(edge.source, value)


def _is_alias(node: Node) -> bool:
    return type(node.op) in _ALIASES and node.edges[0].weight is None


def _size(graph: Graph, found: Inference, value: Value) -> int:
    """Return the bytes of a value."""
    name, index, _ = value
    shape = found.shapes[name]
    if index:
        op = graph.by_name[name].op
        assert isinstance(op, Graph), "an operation has one output"
        shape = op.infer(*found.arriving[name]).outputs[index]
    return FLOAT_BYTES * prod(shape)
