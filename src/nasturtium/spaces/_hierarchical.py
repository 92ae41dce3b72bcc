"""The hierarchical space: motifs made of motifs, over any number of levels.

Liu, Simonyan, Vinyals, Fernando & Kavukcuoglu 2018, "Hierarchical Representations for Efficient
Architecture Search" (arXiv 1711.00436), sections 2 and 4. A space of cells is the case of three
levels: operations, one motif of them (the cell), and a third level that is hard-coded as a stack.

The paper leaves open what a node is that nothing reaches. Here such a node is the motif's source,
so that every architecture is a network. Motifs of more than two levels are projected like those of
the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.graphs import Builder, Condition, Graph, Operation, Wire, alternatives, chain_of, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Decision, Value

NONE = "none"
"""The label of an edge that is not there; every level has it."""

PRIMITIVE_NAMES = ("conv_1", "depthwise_3", "sep_conv_3", "max_pool_3", "avg_pool_3", "identity")
"""The paper's 6 operations, level 1."""

MERGES: dict[str, Operation] = {"add": o.Add(), "concat": o.Concat()}


@lru_cache(maxsize=64)
def _primitives(channels: int) -> Mapping[str, Operation | Graph]:
    depthwise = [("depthwise", o.Conv2d(None, 3, groups=0)), ("norm", o.BatchNorm()), ("relu", o.Activation("relu"))]
    return {
        "conv_1": o.Conv(channels, 1),
        "depthwise_3": chain_of(depthwise),
        "sep_conv_3": o.SepConv(channels, 3),
        "max_pool_3": o.MaxPool(3),
        "avg_pool_3": o.AvgPool(3),
        "identity": o.Identity(),
    }


@final
@SPACES.register("hierarchical")
@dataclass(frozen=True, kw_only=True)
class Hierarchical(NetworkSpace):
    """Networks of one cell that is a motif of motifs of operations (Liu et al. 2018b).

    The decision ``2.0.3.1`` is the label of the edge from node 1 to node 3 in motif 0 of level 2: an
    operation, or ``"none"``; on a higher level, a motif of the level below. Node 1 is a motif's source
    and its last node the result. A node merges what its edges bring. A motif below the last level ends
    in a 1x1 convolution to the channels of its source, if merging widens.

    The motif of the last level is the cell of a stack: ``stages`` groups of cells, each cell with a
    separable convolution behind it, which at the end of a group halves the image and doubles the
    channels.

    Args:
        cells: Cells of a group (the paper's N).
        filters: Channels of the first group (the paper's c_0).
        stages: Number of groups.
        motifs: How many motifs there are on each level from the second on; 1 on the last.
        nodes: How many nodes the motifs of each of these levels have.
        primitives: Names of the operations of level 1.
        merge: ``"concat"``, as in the paper, or ``"add"``.

    Example:
        >>> Hierarchical().size == 7**46
        True
        >>> Hierarchical(motifs=(1,), nodes=(11,)).size == 7**55  # the paper's flat control
        True
    """

    cells: int = 1
    filters: int = 16
    stages: int = 3
    motifs: tuple[int, ...] = (6, 1)
    nodes: tuple[int, ...] = (4, 5)
    primitives: tuple[str, ...] = PRIMITIVE_NAMES
    merge: str = "concat"

    def __post_init__(self) -> None:
        """Check counts and names."""
        if min(self.cells, self.filters, self.stages) < 1:
            got = arguments_of(self, "cells", "filters", "stages")
            raise UsageError(f"cells, filters and stages are at least 1, got {got}; raise them.")
        if len(self.motifs) != len(self.nodes) or not self.motifs or self.motifs[-1] != 1:
            raise UsageError(
                f"each level has motifs and nodes and the last one has 1 motif, got motifs={self.motifs} and "
                f"nodes={self.nodes}; give as many of each."
            )
        if min(self.motifs) < 1 or min(self.nodes) < 2:
            got = arguments_of(self, "motifs", "nodes")
            raise UsageError(f"a level has at least 1 motif, of at least 2 nodes, got {got}; raise them.")
        for names, known in ((self.primitives, PRIMITIVE_NAMES), ((self.merge,), tuple(MERGES))):
            for name in names or ("",):
                if name not in known:
                    raise UsageError(f"unknown name {name!r} in hierarchical; {near_matches(name, known)}")

    @classmethod
    def small(cls) -> Self:
        """Return one cell of two motifs, all of three nodes, four channels wide."""
        return cls(filters=4, stages=2, motifs=(2, 1), nodes=(3, 3))

    @property
    def root(self) -> Block:
        """A label for each edge of each motif, from level 2 upward."""
        return _tree(self.motifs, self.nodes, self.primitives)

    def trivial(self) -> Architecture:
        """Return the architecture whose motifs are chains of identities, where evolution begins.

        On a level above the second, the chain is of the first motif below.

        Raises:
            UsageError: The space has no identity.
        """

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            del prefix
            level, _, target, source = decision.path.split(".")
            if int(target) != int(source) + 1:
                return NONE
            return "identity" if level == "2" else _motif_name(0)

        return self.construct(choose)

    def _open_graph(self) -> Graph:
        b = Builder()
        x = b.add("stem", o.Conv(self.filters), b.input("image", self.input_shape))
        channels = self.filters
        for stage in range(self.stages):
            cell = _motif(self, len(self.motifs) + 1, 0, channels)
            for i in range(self.cells):
                is_last = i + 1 == self.cells
                channels *= 2 if is_last else 1
                x = b.add(f"cell_{stage}_{i}", cell, x)
                x = b.add(f"behind_{stage}_{i}", o.SepConv(channels, 3, 2 if is_last else 1), x)
        return classified(b, x, self.n_outputs)


def _motif_name(index: int) -> str:
    return f"motif_{index}"


def _labels(level: int, motifs: tuple[int, ...], primitives: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of the edges of a level's motifs, without none."""
    return primitives if level == 2 else tuple(map(_motif_name, range(motifs[level - 3])))


@lru_cache(maxsize=64)
def _tree(motifs: tuple[int, ...], nodes: tuple[int, ...], primitives: tuple[str, ...]) -> Group:
    def motif(level: int) -> Group:
        label = choice(NONE, *_labels(level, motifs, primitives))
        targets = range(2, nodes[level - 2] + 1)
        return Group(tuple((str(i), Group(tuple((str(j), label) for j in range(1, i)))) for i in targets))

    levels = range(2, len(motifs) + 2)
    return Group(tuple((str(lv), Group(tuple((str(m), motif(lv)) for m in range(motifs[lv - 2])))) for lv in levels))


@lru_cache(maxsize=256)
def _motif(space: Hierarchical, level: int, index: int, channels: int) -> Graph:
    """Return the open graph of a motif; its motifs are shared objects."""
    labels = _labels(level, space.motifs, space.primitives)
    inner = (
        _primitives(channels)
        if level == 2
        else {name: _motif(space, level - 1, m, channels) for m, name in enumerate(labels)}
    )
    b = Builder()
    wires = [b.input("x")]
    for i in range(2, space.nodes[level - 2] + 1):
        paths = [f"{level}.{index}.{i}.{j}" for j in range(1, i)]
        arriving = []
        for j, (path, wire) in enumerate(zip(paths, wires, strict=True), start=1):
            ends = []
            for label in labels:
                when: Condition = ((path, frozenset({label})),)
                ends.append(under(b.add(f"{label}_{j}_{i}", inner[label], wire, when=when), path, label))
            arriving.append(alternatives(*ends))
        wires.append(b.add(f"node_{i}", MERGES[space.merge], *arriving, _if_none(wires[0], paths)))
    is_projected = space.merge == "concat" and level < len(space.motifs) + 1
    return b.graph(b.add("narrow", o.ConvLike(), wires[-1], wires[0]) if is_projected else wires[-1])


def _if_none(source: Wire, paths: list[str]) -> Wire:
    """Return the wire of the source where no edge is there."""
    for path in paths:
        source = under(source, path, NONE)
    return source
