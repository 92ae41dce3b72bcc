"""Cartesian genetic programming: a grid of nodes, of which those count that the output reads.

Suganuma, Shirakawa & Nagao 2017, "A Genetic Programming Approach to Designing Convolutional Neural
Network Architectures" (arXiv 1704.00764), section 3, with the constants of the authors' code.

Departures: convolutions have no bias, which the normalization behind them would cancel. Where no
node that the output may read has an active number within the limits, the nearest one is legal,
where the authors draw all genes anew; a strategy that mutates many genes at once may do that, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, Operation
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Value

MERGES: Mapping[str, Operation] = {"concat": o.PooledConcat(), "sum": o.PooledSum()}
"""The functions of two inputs."""

POOLS: Mapping[str, Operation] = {"max_pool": o.Halve("max"), "avg_pool": o.Halve("mean")}


@final
@SPACES.register("cgp")
@dataclass(frozen=True, kw_only=True)
class CGP(ClosedNetworkSpace):
    """Cartesian genetic programs over convolution blocks (Suganuma et al. 2017).

    Nodes stand in a grid. Node ``n``, counted from 1 column by column, has a type and two sources:
    nodes of up to ``levels_back`` columns before its own, or the image, which is source 0. A node
    of one input ignores its second source. The network is what the output reads, directly or
    through others; the other nodes are inactive and drift. So several architectures have one
    network, and there is no open graph.

    Args:
        rows: Rows of the grid.
        depth: Columns of the grid.
        levels_back: From how many columns before its own a node may read.
        blocks: ``"conv"`` (one of the paper's two sets), ``"residual"`` (the other) or both.
        filters: Channels that a block may have.
        kernels: Sides that a block's window may have.
        min_active: Least number of active nodes.
        max_active: Greatest number of active nodes.

    Example:
        >>> space = CGP()
        >>> len(space.columns), len(space.functions)
        (451, 10)
    """

    rows: int = 5
    depth: int = 30
    levels_back: int = 10
    blocks: tuple[str, ...] = ("conv",)
    filters: tuple[int, ...] = (32, 64, 128)
    kernels: tuple[int, ...] = (3, 5)
    min_active: int = 10
    max_active: int = 50

    def __post_init__(self) -> None:
        """Check counts and names."""
        if min(self.rows, self.depth, self.levels_back, *self.filters, *self.kernels) < 1:
            got = arguments_of(self, "rows", "depth", "levels_back", "filters", "kernels")
            raise UsageError(f"rows, depth, levels_back, filters and kernels are at least 1, got {got}; raise them.")
        if not self.blocks or not set(self.blocks) <= {"conv", "residual"}:
            raise UsageError(f"blocks are 'conv' and 'residual', got {self.blocks}; name one or both.")
        if not self.filters or not self.kernels:
            got = arguments_of(self, "filters", "kernels")
            raise UsageError(f"a block has filters and a kernel, got {got}; name at least one of each.")
        if not 1 <= self.min_active <= self.max_active:
            raise UsageError(f"1 <= min_active <= max_active, got {self.min_active} and {self.max_active}; swap them.")

    @classmethod
    def small(cls) -> Self:
        """Return a grid of three rows and five columns with narrow blocks."""
        return cls(rows=3, depth=5, levels_back=2, filters=(4, 8), kernels=(3,), min_active=2, max_active=10)

    @property
    def functions(self) -> Mapping[str, Operation]:
        """The operations that a node may have, by the value of its type gene."""
        return _functions(self.blocks, self.filters, self.kernels)

    @property
    def root(self) -> Block:
        """Type and two sources of each node, then the output's source."""
        return _tree(self.rows, self.depth, self.levels_back, tuple(self.functions), self.min_active, self.max_active)

    def active(self, architecture: Architecture) -> tuple[int, ...]:
        """Return the numbers of the nodes that the output reads, directly or through others."""
        return _active(_sources(architecture, self.rows * self.depth), architecture["output"])

    def _network(self, architecture: Architecture) -> Graph:
        """Return the graph of the active nodes, flattened and fully connected at the end."""
        b = Builder()
        wires = {0: b.input("image", self.input_shape)}
        sources = _sources(architecture, self.rows * self.depth)
        for n in _active(sources, architecture["output"]):
            operation = self.functions[architecture[f"{n}.function"]]
            wires[n] = b.add(f"node_{n}", operation, *(wires[source] for source in sources[n - 1]))
        x = b.add("flatten", o.Flatten(), wires[architecture["output"]])
        return b.graph(b.add("head", o.Linear(self.n_outputs), x))


@lru_cache(maxsize=64)
def _functions(blocks: tuple[str, ...], filters: tuple[int, ...], kernels: tuple[int, ...]) -> Mapping[str, Operation]:
    made = {"conv": o.Conv, "residual": o.PaddedResidual}
    named: dict[str, Operation] = {f"{b}_{n}_{k}": made[b](n, k) for b in blocks for n in filters for k in kernels}
    return {**POOLS, **MERGES, **named}  # the cheapest first, with which walking through the space begins


@lru_cache(maxsize=64)
def _tree(
    rows: int, depth: int, levels_back: int, functions: tuple[str, ...], min_active: int, max_active: int
) -> Group:
    def readable(column: int) -> tuple[int, ...]:
        """Return the sources of a column: nodes of the columns before it, or the image."""
        first = column - levels_back
        nodes = range(max(first, 0) * rows + 1, column * rows + 1)
        return (0, *nodes) if first < 0 else tuple(nodes)

    def node(index: int) -> Group:
        sources = choice(*readable(index // rows))
        return Group((("function", choice(*functions)), ("left", sources), ("right", sources)))

    nodes = [(str(index + 1), node(index)) for index in range(rows * depth)]
    limits = _ActiveNodes(readable(depth), rows * depth, min_active, max_active)
    return Group((*nodes, ("output", choice(*readable(depth), rule=limits))))


@dataclass(frozen=True)
class _ActiveNodes:
    """The rule of the output's source: the number of active nodes is within limits, or nearest."""

    candidates: tuple[int, ...]
    n_nodes: int
    at_least: int
    at_most: int

    def __call__(self, prefix: Mapping[str, Value], source: Value) -> bool:
        """Return whether no other source leads to a number that is nearer to the limits."""
        return source in _legal_outputs(self, _sources(prefix, self.n_nodes))


Sources = tuple[tuple[int, ...], ...]
"""What each node reads, in the order of the nodes; one source or two, as its type has inputs."""


def _sources(genes: Mapping[str, Any], n_nodes: int) -> Sources:
    found = []
    for n in range(1, n_nodes + 1):
        left = genes[f"{n}.left"]
        found.append((left, genes[f"{n}.right"]) if genes[f"{n}.function"] in MERGES else (left,))
    return tuple(found)


@lru_cache(maxsize=64)
def _legal_outputs(rule: _ActiveNodes, sources: Sources) -> frozenset[int]:
    masks = [0]  # bit n: whether node n is active
    for n, read in enumerate(sources, start=1):
        masks.append(1 << n)
        for source in read:
            masks[n] |= masks[source]
    counts = {candidate: masks[candidate].bit_count() for candidate in rule.candidates}
    excess = {c: max(rule.at_least - count, count - rule.at_most, 0) for c, count in counts.items()}
    least = min(excess.values())
    return frozenset(candidate for candidate, e in excess.items() if e == least)


def _active(sources: Sources, output: int) -> tuple[int, ...]:
    wanted = {output}
    for n in range(len(sources), 0, -1):
        if n in wanted:
            wanted.update(sources[n - 1])
    return tuple(sorted(wanted - {0}))
