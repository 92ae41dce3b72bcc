"""The units of a network: the parts between places where a single value is alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.graphs.operations import Activation, BatchNorm, Conv2d, Dropout, Identity, Linear, Scale

if TYPE_CHECKING:
    from nasturtium.graphs import Graph, Node

_FOLLOWS = (Activation, BatchNorm, Dropout, Identity, Scale)
"""What belongs to the unit before it."""


@final
@dataclass(frozen=True)
class Unit:
    """A layer or block that one value enters and one leaves, with what normalizes and activates it.

    Args:
        entry: Name of the node whose value enters.
        nodes: In order; the value of the last one leaves.
        is_repeatable: Whether it has weights and its output the shape of its input.
    """

    entry: str
    nodes: tuple[Node, ...]
    is_repeatable: bool


def units_of(network: Graph) -> list[Unit]:
    """Return the units of a network of one input and one output, in order.

    Example:
        >>> from nasturtium.graphs import Builder
        >>> from nasturtium.graphs import operations as o
        >>> b = Builder()
        >>> x = b.add("stem", o.Conv2d(8), b.input("image", (3, 16, 16)))
        >>> y = b.add("block", o.Conv2d(8), x)
        >>> graph = b.graph(b.add("relu", o.Activation(), b.add("sum", o.Add(), x, y)))
        >>> [([node.name for node in unit.nodes], unit.is_repeatable) for unit in units_of(graph)]
        [(['stem'], False), (['block', 'sum', 'relu'], True)]
    """
    units: list[Unit] = []
    entry = network.inputs[0].name
    for segment in _segments(network):
        if units and len(segment) == 1 and isinstance(segment[0].op, _FOLLOWS):
            segment = [*units[-1].nodes, *segment]
            entry = units.pop().entry
        has_weights = any(isinstance(node.op, (Conv2d, Linear)) for node in segment)
        keeps_shape = network.shapes[entry] == network.shapes[segment[-1].name]
        units.append(Unit(entry, tuple(segment), has_weights and keeps_shape))
        entry = segment[-1].name
    return units


def _segments(network: Graph) -> list[list[Node]]:
    """Return the nodes between cuts; a cut is behind a node if nothing earlier is read any more."""
    last_read = {edge.source: i for i, node in enumerate(network.nodes) for edge in node.edges}
    segments: list[list[Node]] = [[]]
    reach = 0
    for i, node in enumerate(network.nodes):
        if node.name == network.inputs[0].name:
            reach = last_read.get(node.name, 0)
            continue
        segments[-1].append(node)
        if reach <= i:
            segments.append([])
        reach = max(reach, last_read.get(node.name, i))
    return [segment for segment in segments if segment]
