"""Which widths of a network belong together: channels that a sum or a depthwise layer ties."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm, prod
from typing import TYPE_CHECKING, final

from nasturtium.errors import ShapeError
from nasturtium.graphs.operations import (
    Activation,
    AdaptivePool,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Foreign,
    GlobalPool,
    Identity,
    Input,
    Linear,
    MaxPool,
    Multiply,
    Scale,
    Zero,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nasturtium.graphs import Graph, Node, Shape

_KEEPS_CHANNELS = (
    Activation,
    AdaptivePool,
    Add,
    AvgPool,
    BatchNorm,
    Dropout,
    GlobalPool,
    Identity,
    MaxPool,
    Multiply,
    Scale,
    Zero,
)


@final
@dataclass(frozen=True)
class Channels:
    """Nodes whose outputs have one width, whatever it is.

    Args:
        members: Names of all nodes of the group.
        producers: Those that set the width, in order: convolutions and linear layers.
        width: In the network.
        multiple: What the width must be a multiple of, since a grouped convolution reads or gives it.
        is_free: Whether the width may change: no concatenation, input or unknown layer forbids it.
    """

    members: frozenset[str]
    producers: tuple[str, ...]
    width: int
    multiple: int
    is_free: bool


def channel_groups(network: Graph, ties: Iterable[tuple[str, str]]) -> list[Channels]:
    """Return the groups of a closed network of plain operations, in the order of their first nodes.

    Args:
        network: Its inputs declare their shapes.
        ties: Pairs of nodes whose widths must be equal besides.
    """
    group = _tied(network, ties)
    multiples = _multiples(network, group)
    frozen = _frozen(network, group, multiples)
    found = []
    for label in dict.fromkeys(group[node.name] for node in network.nodes):
        members = [node for node in network.nodes if group[node.name] == label]
        producers = tuple(node.name for node in members if _produces(node))
        found.append(
            Channels(
                members=frozenset(node.name for node in members),
                producers=producers,
                width=network.shapes[members[0].name][0],
                multiple=multiples[label],
                is_free=label not in frozen and bool(producers),
            )
        )
    return found


def _tied(network: Graph, ties: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the label of each node's group."""
    root = {node.name: node.name for node in network.nodes}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    within = [
        (node.name, edge.source)
        for node in network.nodes
        if _keeps_channels(node, network.shapes)
        for edge in node.edges
    ]
    for a, b in (*within, *ties):
        root[find(a)] = find(b)
    return {name: find(name) for name in root}


def _multiples(network: Graph, group: Mapping[str, str]) -> dict[str, int]:
    """Return what each group's width must be a multiple of."""
    multiples = dict.fromkeys(group.values(), 1)
    for node in network.nodes:
        if isinstance(node.op, Conv2d) and node.op.groups > 1:
            for name in (node.name, node.edges[0].source):
                multiples[group[name]] = lcm(multiples[group[name]], node.op.groups)
    return multiples


def _produces(node: Node) -> bool:
    return isinstance(node.op, Linear) or (isinstance(node.op, Conv2d) and node.op.out is not None)


def _keeps_channels(node: Node, shapes: Mapping[str, Shape]) -> bool:
    """Whether a node gives as many channels as it takes, however many these are."""
    if isinstance(node.op, Flatten):
        return prod(shapes[node.edges[0].source][1:]) == 1
    if isinstance(node.op, Conv2d):
        return node.op.out is None
    if isinstance(node.op, Foreign) and len(node.edges) == 1:
        return _follows(node.op, shapes[node.edges[0].source])
    return isinstance(node.op, _KEEPS_CHANNELS)


def _follows(op: Foreign, shape: Shape) -> bool:
    """Whether a layer without weights takes one channel more and gives it, such as an activation."""
    wider = (shape[0] + 1, *shape[1:])
    try:
        return op.params(wider) == 0 and op.shape(shape)[0] == shape[0] and op.shape(wider)[0] == wider[0]
    except ShapeError:
        return False


def _frozen(network: Graph, group: Mapping[str, str], multiples: Mapping[str, int]) -> set[str]:
    """Return the groups whose width can't change.

    Those are the input's, what an unknown layer reads or gives, and a group that a concatenation or
    a flattened image sets together with something else; then all that is concatenated, too.
    """
    frozen: set[str] = set()
    sources: dict[str, list[Node]] = {}
    shapes = network.shapes
    for node in network.nodes:
        label = group[node.name]
        is_derived = isinstance(node.op, (Concat, Flatten)) and not _keeps_channels(node, shapes)
        if _produces(node) or is_derived:
            sources.setdefault(label, []).append(node)
        elif isinstance(node.op, Input):
            frozen.add(label)
        elif not _keeps_channels(node, shapes):
            frozen |= {label, *(group[edge.source] for edge in node.edges)}
    while True:
        before = len(frozen)
        for label, nodes in sources.items():
            derived = [node for node in nodes if not _produces(node)]
            if derived and (len(nodes) > 1 or label in frozen or multiples[label] > 1):
                frozen |= {label, *(group[edge.source] for node in derived for edge in node.edges)}
        if len(frozen) == before:
            return frozen
