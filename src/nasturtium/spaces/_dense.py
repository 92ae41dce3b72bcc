"""Cells connected freely, the cell a tree: from a chain over skips to DenseNet.

Cai, Yang, Zhang, Han & Yu 2018, "Path-Level Network Transformation for Efficient Architecture
Search" (arXiv 1806.02639), section 3; the layer and the stack are those of DenseNet-BC (Huang,
Liu, van der Maaten & Weinberger 2017, arXiv 1608.06993), section 3.

Departures: which earlier cells a cell reads is decided too, where the paper keeps the dense
connection; the layer's 3x3 convolution stands before the tree, where the paper copies it into the
branches; a sum splits nothing and a concatenation always splits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Condition, Graph, Operation, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Group, option

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.spaces._tree import Block

MERGES = {"add_2": 2, "add_3": 3, "concat_2": 2}
"""What joins the branches of a tree's node, with their number."""

EDGES: dict[str, Operation] = {
    "identity": o.Identity(),
    "avg_pool_3": o.AvgPool(3),
    "max_pool_3": o.MaxPool(3),
    "conv_1": o.Conv(None, 1, preactivated=True),
    "sep_conv_3": o.SepConv(None, 3, preactivated=True),
    "sep_conv_5": o.SepConv(None, 5, preactivated=True),
    "sep_conv_7": o.SepConv(None, 7, preactivated=True),
}
"""The operations on a tree's edges."""


@final
@SPACES.register("dense")
@dataclass(frozen=True, kw_only=True)
class Dense(NetworkSpace):
    """Networks of one tree-shaped cell whose copies read any of the earlier ones (Cai et al. 2018b).

    A cell concatenates its inputs, narrows them by a 1x1 convolution, applies a 3x3 convolution
    with ``filters`` outputs and then the tree, which is the same in all cells: a node is a leaf, or
    adds two or three branches, or splits the channels between two and concatenates them; a branch
    is an operation and a further node. Each cell reads the one before it and, where
    ``1.2.reads_0`` and the like say so (stage 1, cell 2, state 0 of the stage), earlier states; so
    does the end of a stage. With a leaf and all connections the network is DenseNet-BC.

    Args:
        stages: Number of stages; between two, a transition halves height, width and channels.
        layers: Cells of a stage; their connections are decided, so another number is another space.
        filters: Channels that a cell gives (the growth rate k).
        depth: Greatest depth of the tree; the paper's is 3. 0 leaves the connections alone.

    Example:
        >>> Dense(stages=1, layers=2, depth=0).size
        8
    """

    stages: int = 3
    layers: int = 4
    filters: int = 12
    depth: int = 2

    def __post_init__(self) -> None:
        """Check the counts."""
        if min(self.stages, self.layers) < 1 or self.depth < 0 or self.filters < 2**self.depth:
            raise UsageError(
                f"stages and layers are at least 1, depth 0 and filters 2**depth, got {self.stages}, {self.layers}, "
                f"{self.depth} and {self.filters}; raise them."
            )

    @classmethod
    def small(cls) -> Self:
        """Return two stages of two cells, four channels wide, with a tree of depth 1."""
        return cls(stages=2, layers=2, filters=4, depth=1)

    @property
    def root(self) -> Block:
        """The tree, then the connections of each stage."""
        return _root(self.stages, self.layers, self.depth)

    def _open_graph(self) -> Graph:
        b = Builder()
        channels = 2 * self.filters
        x = b.add("stem", o.Conv2d(channels), b.input("image", self.input_shape))
        for stage in range(self.stages):
            if stage:
                channels //= 2
                x = b.add(f"transition_{stage}", o.Conv2d(channels, 1), x)
                x = b.add(f"halve_{stage}", o.AvgPool(2, 2), x)
            x = self._stage(b, stage, x)
            channels += self.layers * self.filters
        return classified(b, x, self.n_outputs)

    def _stage(self, b: Builder, stage: int, x: Wire) -> Wire:
        """Add the cells of a stage, and normalization and ReLU of what the stage hands on."""
        states = [x]
        for i in range(self.layers):
            y = _read(b, f"{stage}_{i}", f"{stage}.{i}", states)
            y = b.add(f"narrow_{stage}_{i}", o.Conv2d(4 * self.filters, 1), y)
            y = b.add(f"relu_{stage}_{i}", o.Activation("relu"), b.add(f"norm_{stage}_{i}", o.BatchNorm(), y))
            y = b.add(f"conv_{stage}_{i}", o.Conv2d(self.filters), y)
            if self.depth:
                y = b.add(f"tree_{stage}_{i}", _tree_cell(self.depth), y)
            states.append(y)
        return _read(b, f"{stage}_end", f"{stage}.{self.layers}", states)


def _read(b: Builder, name: str, path: str, states: list[Wire]) -> Wire:
    """Concatenate the last state and those earlier ones that are read; normalize."""
    earlier = [under(state, f"{path}.reads_{j}", True) for j, state in enumerate(states[:-1])]
    x = b.add(f"inputs_{name}", o.Concat(), *earlier, states[-1])
    x = b.add(f"inputs_norm_{name}", o.BatchNorm(), x)
    return b.add(f"inputs_relu_{name}", o.Activation("relu"), x)


@lru_cache(maxsize=64)
def _root(stages: int, layers: int, depth: int) -> Group:
    def reader(index: int) -> Group:
        return Group(tuple((f"reads_{j}", choice(False, True)) for j in range(index)))

    stage = Group(tuple((str(i), reader(i)) for i in range(1, layers + 1)))
    tree = (("tree", _node(depth)),) if depth else ()
    return Group((*tree, *((str(i), stage) for i in range(stages))))


def _node(depth: int) -> Block:
    """Return the decisions of a tree's node: how it merges, then operation and node of each branch."""
    inner = {"node": _node(depth - 1)} if depth > 1 else {}
    branch = Group((("op", choice(*EDGES)), *inner.items()))
    merges = (option(name, **{str(i): branch for i in range(n)}) for name, n in MERGES.items())
    return choice("leaf", *merges)


@lru_cache(maxsize=8)
def _tree_cell(depth: int) -> Graph:
    """Return the open tree; one object for all cells."""
    b = Builder()
    return b.graph(_merged(b, "tree", "tree", b.input("x"), (), depth))


def _merged(b: Builder, name: str, path: str, x: Wire, when: Condition, depth: int) -> Wire:
    """Add a node of the tree: its input as it is, or its branches and what joins them."""
    ends = [under(x, path, "leaf")]
    for merge, n in MERGES.items():
        is_merge = (*when, (path, frozenset({merge})))
        branches = []
        for i in range(n):
            inner, place = f"{path}.{merge}.{i}", f"{name}_{merge}_{i}"
            taken = b.add(f"{place}_part", o.Part(i, n), x, when=is_merge) if merge == "concat_2" else x
            branches.append(_branch(b, place, inner, taken, is_merge, depth))
        if merge == "concat_2":
            end = b.add(f"{name}_{merge}", o.Concat(), *branches, when=is_merge)
        else:  # the mean, as the authors' code
            shares = (tuple(replace(edge, weight=1 / n) for edge in wire) for wire in branches)
            end = b.add(f"{name}_{merge}", o.Add(), *shares, when=is_merge)
        ends.append(under(end, path, merge))
    return alternatives(*ends)


def _branch(b: Builder, name: str, path: str, x: Wire, when: Condition, depth: int) -> Wire:
    """Add one branch: every operation, then the node behind it."""
    ends = []
    for edge, operation in EDGES.items():
        is_edge = (*when, (f"{path}.op", frozenset({edge})))
        ends.append(under(b.add(f"{name}_{edge}", operation, x, when=is_edge), f"{path}.op", edge))
    y = alternatives(*ends)
    return _merged(b, f"{name}_node", f"{path}.node", y, when, depth - 1) if depth > 1 else y
