"""The NASNet space: a normal and a reduction cell, stacked.

Zoph, Vasudevan, Shlens & Le 2018, "Learning Transferable Architectures for Scalable Image
Recognition" (arXiv 1707.07012), section 3 and figure 7.

Departure: the output of a concatenating block goes through a 1x1 convolution at once, where the
paper inserts one before whatever reads it.
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

OPERATION_NAMES = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dil_conv_3",
    "avg_pool_3",
    "max_pool_3",
    "max_pool_5",
    "max_pool_7",
    "conv_1",
    "conv_3",
    "sep_conv_3",
    "sep_conv_5",
    "sep_conv_7",
)
"""The paper's 13 operations."""


@final
@SPACES.register("nasnet")
@dataclass(frozen=True, kw_only=True)
class NASNet(NetworkSpace):
    """Networks of two cell kinds; each block of a cell joins two earlier states (Zoph et al. 2018).

    A cell has two inputs, the outputs of the two cells before it. Block after block takes two of
    the states so far, applies an operation to each and adds or concatenates the results, which is
    a new state; the states that nothing took are concatenated. One cell of the default space has
    2.29e18 forms.

    Args:
        cells: Normal cells in each of the three stages (the paper's N).
        filters: Channels of a state in the first stage; doubled by each of the two reduction cells.
        blocks: Blocks of a cell (the paper's B).
        operations: Names of the operations to choose from.
        combinations: ``"add"``, ``"concat"`` or both.
        normal_output: The states that the normal cell concatenates (0 and 1 are its inputs, 2 the
            first block); None means those that nothing took. NASNet-A has ``(0, 2, 3, 4, 5, 6)``.
        reduction_output: The same of the reduction cell. NASNet-A has ``(3, 4, 5, 6)``.

    Example:
        >>> space = NASNet(cells=1, filters=8, input_shape=(1, 28, 28), n_outputs=10)
        >>> f"{space.size ** 0.5:.3g}"
        '2.29e+18'
    """

    cells: int = 1
    filters: int = 8
    blocks: int = 5
    operations: tuple[str, ...] = OPERATION_NAMES
    combinations: tuple[str, ...] = ("add", "concat")
    normal_output: tuple[int, ...] | None = None
    reduction_output: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_stack(self.cells, self.filters, self.blocks)
        check_operations(self.operations)
        if not self.combinations or not set(self.combinations) <= {"add", "concat"}:
            raise UsageError(f"combinations are 'add' and 'concat', got {self.combinations}; name one or both.")
        for output in (self.normal_output, self.reduction_output):
            if output is not None and not (output and set(output) <= set(range(self.blocks + 2))):
                raise UsageError(f"an output is some of the states 0 to {self.blocks + 1}, got {output}; or None.")

    @classmethod
    def small(cls) -> Self:
        """Return cells of two blocks, four channels wide."""
        return cls(filters=4, blocks=2)

    @property
    def root(self) -> Block:
        """Five decisions a block, for both cells."""
        return pairwise_tree(self.blocks, self.operations, self.combinations)

    def genotype(self, normal: Sequence[Gene], reduction: Sequence[Gene]) -> Architecture:
        """Return the architecture of a published genotype, whose blocks add.

        Args:
            normal: Two (operation, state) pairs a block of the normal cell; states 0 and 1 are the
                outputs of the cell before the last and of the last one. Operations may have the
                names of this space or of DARTS's repository, such as ``"sep_conv_3x3"``.
            reduction: The same of the reduction cell.

        Raises:
            UsageError: The architecture is not in the space.

        Example:
            >>> pair = [("sep_conv_3x3", 0), ("skip_connect", 1)]
            >>> NASNet(blocks=1).genotype(pair, pair)["normal.0.left_op"]
            'sep_conv_3'
        """
        cells: dict[Kind, Sequence[Gene]] = {"normal": normal, "reduction": reduction}
        return self._read(pairwise_decisions(cells, self.blocks, self.combinations))

    def _open_graph(self) -> Graph:
        n = self.cells
        kinds = stack_kinds(3 * n + 2, (n, 2 * n + 1))
        return pairwise_network(self, kinds, self.filters, self._cell)

    def _cell(self, kind: Kind, channels: int) -> Graph:
        output = self.normal_output if kind == "normal" else self.reduction_output
        return pairwise_cell(kind, channels, self.blocks, self.operations, self.combinations, output)
