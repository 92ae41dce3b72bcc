"""The space of AmoebaNet: NASNet's with sums only and eight operations.

Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image Classifier Architecture Search"
(arXiv 1802.01548), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import (
    Gene,
    Kind,
    check_operations,
    check_stack,
    pairwise_cell,
    pairwise_decisions,
    pairwise_network,
    pairwise_tree,
    stack_kinds,
)
from nasturtium.spaces._networks import NetworkSpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from nasturtium.graphs import Graph
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._tree import Block

OPERATION_NAMES = (
    "identity",
    "sep_conv_3",
    "sep_conv_5",
    "sep_conv_7",
    "avg_pool_3",
    "max_pool_3",
    "dil_conv_3",
    "conv_1x7_7x1",
)
"""The paper's 8 operations."""


@final
@SPACES.register("amoebanet")
@dataclass(frozen=True, kw_only=True)
class AmoebaNet(NetworkSpace):
    """Networks of two cell kinds; each block of a cell adds two earlier states (Real et al. 2019).

    Args:
        cells: Normal cells in each of the three stages (the paper's N).
        filters: Channels of a state in the first stage (F); doubled by each of the two reductions.
        blocks: Blocks of a cell.
        operations: Names of the operations to choose from.

    Example:
        >>> f"{AmoebaNet().size ** 0.5:.3g}"
        '5.57e+14'
    """

    cells: int = 1
    filters: int = 8
    blocks: int = 5
    operations: tuple[str, ...] = OPERATION_NAMES

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_stack(self.cells, self.filters, self.blocks)
        check_operations(self.operations)

    @classmethod
    def small(cls) -> Self:
        """Return cells of two blocks, four channels wide."""
        return cls(filters=4, blocks=2)

    @property
    def root(self) -> Block:
        """Four decisions a block, for both cells."""
        return pairwise_tree(self.blocks, self.operations, ("add",))

    def genotype(self, normal: Sequence[Gene], reduction: Sequence[Gene]) -> Architecture:
        """Return the architecture of a published genotype; see ``NASNet.genotype``."""
        return self._read(pairwise_decisions({"normal": normal, "reduction": reduction}, self.blocks))

    def _open_graph(self) -> Graph:
        n = self.cells
        kinds = stack_kinds(3 * n + 2, (n, 2 * n + 1))
        return pairwise_network(self, kinds, self.filters, self._cell)

    def _cell(self, kind: Kind, channels: int) -> Graph:
        return pairwise_cell(kind, channels, self.blocks, self.operations)
