"""The DARTS space: cells whose nodes sum an operation on each of two earlier nodes.

Liu, Simonyan & Yang 2019, "DARTS: Differentiable Architecture Search" (arXiv 1806.09055), section
2.1 and appendix A; operations and stack as in the authors' code (the network for CIFAR-10 without
the auxiliary head).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.graphs import Builder, Graph, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import (
    KINDS,
    Gene,
    Kind,
    cell_operation,
    check_genes,
    check_operations,
    check_stack,
    classified,
    operation_of,
    stack_kinds,
    stacked,
)
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Group, option, subset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Value
    from nasturtium.spaces._tree import Block

OPERATION_NAMES = ("max_pool_3", "avg_pool_3", "identity", "sep_conv_3", "sep_conv_5", "dil_conv_3", "dil_conv_5")
"""The paper's operations that a derived cell may have: all but ``none``."""


@final
@SPACES.register("darts")
@dataclass(frozen=True, kw_only=True)
class DARTS(NetworkSpace):
    """Networks of two cell kinds; each node reads two earlier ones (Liu et al. 2019).

    A cell has two inputs, the outputs of the two cells before it, which are its nodes 0 and 1. Each
    further node is the sum of an operation on each of two earlier ones, and all of them are
    concatenated. Node 3 of the normal cell is decided at ``normal.3``, such as ``("0", "2")``, the
    operations on its two edges at ``normal.3.0.op`` and ``normal.3.2.op``.

    Args:
        cells: All cells; those at a third and at two thirds are reductions.
        filters: Channels of a node at first; doubled by each reduction.
        nodes: Nodes of a cell that are no inputs.
        operations: Names of the operations to choose from.

    Example:
        >>> f"{DARTS().size ** 0.5:.0f}"
        '1037664180'
    """

    cells: int = 8
    filters: int = 16
    nodes: int = 4
    operations: tuple[str, ...] = OPERATION_NAMES

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_stack(self.cells, self.filters, self.nodes)
        check_operations(self.operations)

    @classmethod
    def small(cls) -> Self:
        """Return three cells of two nodes, four channels wide."""
        return cls(cells=3, filters=4, nodes=2)

    @property
    def root(self) -> Block:
        """For both cells: which two earlier nodes each node reads, and by which operations."""
        return _tree(self.nodes, self.operations)

    def genotype(self, normal: Sequence[Gene], reduction: Sequence[Gene]) -> Architecture:
        """Return the architecture of a published genotype.

        Args:
            normal: Two (operation, node) pairs a node of the normal cell, in any order. Operations
                may have the names of this space or of the authors' code, such as ``"sep_conv_3x3"``.
            reduction: The same of the reduction cell.

        Raises:
            UsageError: The architecture is not in the space.

        Example:
            >>> pair = [("sep_conv_3x3", 1), ("skip_connect", 0)]
            >>> DARTS(nodes=1).genotype(pair, pair)["normal.2.0.op"]
            'identity'
        """
        found: dict[str, Value] = {}
        for kind, genes in (("normal", normal), ("reduction", reduction)):
            check_genes(genes, self.nodes)
            for node in range(self.nodes):
                pair = sorted(genes[2 * node : 2 * node + 2], key=lambda gene: gene[1])
                path = f"{kind}.{node + 2}"
                found[path] = tuple(str(source) for _, source in pair)
                found |= {f"{path}.{source}.op": operation_of(name) for name, source in pair}
        return self._read(found)

    def _open_graph(self) -> Graph:
        b = Builder()
        kinds = stack_kinds(self.cells, (self.cells // 3, 2 * self.cells // 3))
        last = stacked(b, b.input("image", self.input_shape), kinds, self.filters, self._cell)
        return classified(b, last, self.n_outputs)

    def _cell(self, kind: Kind, channels: int) -> Graph:
        return _cell(kind, channels, self.nodes, self.operations)


@lru_cache(maxsize=64)
def _tree(nodes: int, operations: tuple[str, ...]) -> Group:
    edge = choice(*operations)

    def node(index: int) -> Block:
        sources = (option(str(source), op=edge) for source in range(index))
        return subset(*sources, at_least=2, at_most=2)

    cell = Group(tuple((str(i), node(i)) for i in range(2, nodes + 2)))
    return Group(tuple((kind, cell) for kind in KINDS))


@lru_cache(maxsize=256)
def _cell(kind: Kind, channels: int, nodes: int, operations: tuple[str, ...]) -> Graph:
    """Return the open cell; equal cells of a stack are one object."""
    b = Builder()
    states = [b.input("previous"), b.input("last")]
    for i in range(2, nodes + 2):
        edges = []
        for source, state in enumerate(states):
            stride = 2 if kind == "reduction" and source < 2 else 1
            path = f"{kind}.{i}.{source}.op"  # decided only if the node reads the source
            ends = []
            for name in operations:
                when = ((path, frozenset({name})),)
                end = b.add(f"edge_{source}_{i}_{name}", cell_operation(name, stride, channels), state, when=when)
                ends.append(under(end, path, name))
            edges.append(alternatives(*ends))
        states.append(b.add(f"sum_{i}", o.Add(), *edges))
    return b.graph(b.add("output", o.Concat(), *states[2:]))
