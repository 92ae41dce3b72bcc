"""Depth of a graph: its layers with weights, one after the other."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.graphs._base import Composite, Operation, Shape
from nasturtium.graphs._graph import Graph, Node
from nasturtium.graphs._infer import output_index, rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Distances = tuple[int, ...]
"""How many layers lie on the longest way: first from anywhere, then from each input; ``NO_WAY`` if none."""

NO_WAY = -1


def depth_of(graph: Graph, inputs: tuple[Shape, ...]) -> int:
    """Return how many convolutions and linear layers lie on the longest way to an output.

    A layer is an operation that multiplies and accumulates, as the field counts the layers of
    ResNet-20; a nested graph and a composite count those inside. Delayed edges end a way.

    Args:
        graph: A closed graph.
        inputs: One shape an input node; none means those that the input nodes declare.
    """
    return max(distances[0] for distances in _distances(graph, inputs))


def _distances(graph: Graph, inputs: tuple[Shape, ...]) -> tuple[Distances, ...]:
    """Return each output's distances from the inputs (memoized)."""
    return graph.memoized(("depth", inputs), lambda: _longest_ways(graph, inputs))


def _longest_ways(graph: Graph, inputs: tuple[Shape, ...]) -> tuple[Distances, ...]:
    found = graph.infer(*inputs)
    entries = {node.name: place for place, node in enumerate(graph.inputs, start=1)}
    width = 1 + len(entries)
    known: dict[str, tuple[Distances, ...]] = {}
    for node in graph.nodes:
        if node.name in entries:
            known[node.name] = (tuple([0 if i in (0, entries[node.name]) else NO_WAY for i in range(width)]),)
            continue
        arriving = [
            (0, *[NO_WAY] * (width - 1)) if edge.delay else known[edge.source][output_index(graph, edge)]
            for edge in node.edges
        ]
        ways = _ways(node, found.arriving[node.name])
        known[node.name] = tuple([_joined(way, arriving, width) for way in ways])
    return tuple([known[name][0] for name in graph.outputs])


def _joined(way: Distances, arriving: Sequence[Distances], width: int) -> Distances:
    """Return an output's distances from what reaches the node and the ways inside of it."""
    if len(arriving) == 1 and way[1] != NO_WAY:
        inside = way[1]
        best = [NO_WAY if distance == NO_WAY else distance + inside for distance in arriving[0]]
        best[0] = max(best[0], way[0])
        return tuple(best)
    best = [way[0], *[NO_WAY] * (width - 1)]
    for inside, distances in zip(way[1:], arriving, strict=True):
        if inside == NO_WAY:
            continue
        for i, distance in enumerate(distances):
            if distance != NO_WAY and distance + inside > best[i]:
                best[i] = distance + inside
    return tuple(best)


def _ways(node: Node, arriving: tuple[Shape, ...]) -> tuple[Distances, ...]:
    """Return the distances inside of a node, from its inputs to each of its outputs."""
    if isinstance(node.op, Graph):
        return _distances(node.op, arriving)
    assert isinstance(node.op, Operation)
    return _operation_ways(node.op, arriving)


@lru_cache(maxsize=1 << 14)
def _operation_ways(op: Operation, arriving: tuple[Shape, ...]) -> tuple[Distances, ...]:
    if isinstance(op, Composite):
        return _distances(op.opened(*arriving), arriving)
    return ((int(rule_of(op, arriving).flops > 0),) * (1 + len(arriving)),)
