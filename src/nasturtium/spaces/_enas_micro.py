"""The micro search space of ENAS: two cells of blocks that add two earlier states.

Pham, Guan, Zoph, Le & Dean 2018, "Efficient Neural Architecture Search via Parameter Sharing"
(arXiv 1802.03268), section 2.4, with the details of the authors' code.

Departures: the network is the one that the authors train at the end. While they search, the states
that nothing reads are projected back to one state's channels, and a reduction cell has stride 1
behind a factorized reduction of its input. A second 1x1 convolution on the newer input is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
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

CODES = ("sep_conv_3", "sep_conv_5", "avg_pool_3", "max_pool_3", "identity")
"""The paper's 5 operations by their numbers in the authors' encoding."""

OPERATION_NAMES = CODES[::-1]  # the cheap ones first, so that a walk within limits soon finds some


@final
@SPACES.register("enas-micro")
@dataclass(frozen=True, kw_only=True)
class EnasMicro(NetworkSpace):
    """Networks of two cell kinds; each block of a cell adds two earlier states (Pham et al. 2018).

    Args:
        cells: Normal cells; two reduction cells stand among them.
        filters: Channels of a state at first; doubled by each of the two reduction cells.
        blocks: Blocks of a cell.
        operations: Names of the operations to choose from.

    Example:
        >>> f"{EnasMicro().size ** 0.5:.5g}"
        '5.0625e+12'
    """

    cells: int = 6
    filters: int = 8
    blocks: int = 5
    operations: tuple[str, ...] = OPERATION_NAMES

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_stack(self.cells, self.filters, self.blocks)
        check_operations(self.operations)

    @classmethod
    def small(cls) -> Self:
        """Return three normal cells of two blocks, four channels wide."""
        return cls(cells=3, filters=4, blocks=2)

    @property
    def root(self) -> Block:
        """Four decisions a block, for both cells."""
        return pairwise_tree(self.blocks, self.operations, ("add",))

    def genotype(self, normal: Sequence[int], reduction: Sequence[int]) -> Architecture:
        """Return the architecture of the authors' encoding.

        Args:
            normal: Of each block: state, operation, state, operation; states 0 and 1 are the inputs.
            reduction: The same of the reduction cell.

        Raises:
            UsageError: The architecture is not in the space.

        Example:
            >>> EnasMicro(blocks=1).genotype([1, 0, 1, 2], [0, 4, 1, 1])["normal.0.right_op"]
            'avg_pool_3'
        """
        return self._read(pairwise_decisions({"normal": _genes(normal), "reduction": _genes(reduction)}, self.blocks))

    def _open_graph(self) -> Graph:
        third = self.cells // 3
        kinds = stack_kinds(self.cells + 2, (third, 2 * third + 1))
        return pairwise_network(self, kinds, self.filters, self._cell)

    def _cell(self, kind: Kind, channels: int) -> Graph:
        return pairwise_cell(kind, channels, self.blocks, self.operations)


def _genes(numbers: Sequence[int]) -> list[Gene]:
    if len(numbers) % 2 or not set(numbers[1::2]) <= set(range(len(CODES))):
        raise UsageError(f"an encoding is pairs of a state and an operation (0 to 4), got {numbers}; mend it.")
    return [(CODES[op], state) for state, op in zip(numbers[::2], numbers[1::2], strict=True)]
