"""The space of NAS-Bench-201, which is also the topology space of NATS-Bench.

Dong & Yang 2020, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search"
(arXiv 2001.00326), section 2.1.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, Operation, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Shape

CELL_OPERATIONS: Mapping[str, Operation] = {
    "none": o.Zero(),
    "skip_connect": o.Identity(),
    "nor_conv_1x1": o.Conv(None, 1, preactivated=True),
    "nor_conv_3x3": o.Conv(None, 3, preactivated=True),
    "avg_pool_3x3": o.AvgPool(3),
}
"""The benchmark's five operations, in its order."""

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The cell's edges in the benchmark's order."""

_NOTATION = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|\s*\Z")


@final
@SPACES.register("nasbench201")
@dataclass(frozen=True, kw_only=True)
class NASBench201(NetworkSpace):
    """The 15,625 cells of four nodes with one of five operations on each edge (Dong & Yang 2020).

    A node is the sum of what its edges bring; the cell puts out the last node. Three stages of equal
    cells, a residual block between two, which halves the image and doubles the channels. The text
    form is the benchmark's own. The defaults are the benchmark's network for CIFAR-10; for another
    task, ``on(task)``.

    Args:
        cells: Cells in each of the three stages.
        filters: Channels of the first stage.

    Example:
        >>> space = NASBench201()
        >>> a = space.parse(
        ...     "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
        ... )
        >>> space.index(a), a["edge_0_2"], space.graph(a).params
        (0, 'nor_conv_1x1', 129306)
    """

    cells: int = 5
    filters: int = 16
    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    def __post_init__(self) -> None:
        """Check the counts."""
        if min(self.cells, self.filters) < 1:
            got = arguments_of(self, "cells", "filters")
            raise UsageError(f"cells and filters are at least 1, got {got}; raise them.")

    @classmethod
    def small(cls) -> Self:
        """Return one cell a stage, four channels wide."""
        return cls(cells=1, filters=4)

    @property
    def root(self) -> Block:
        """The operation on each edge."""
        return _TREE

    def text(self, architecture: Architecture) -> str:
        """Return the benchmark's string; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        return _joined(*(f"{architecture[name]}~{source}" for name, source in _SOURCES.items()))

    def _notated(self, text: str) -> Mapping[str, Any]:
        found = _NOTATION.match(text.strip())
        if not found:
            raise UsageError(
                f"a cell is written {_joined(*(f'op~{i}' for i, _ in EDGES))}, got {text!r}; name all six."
            )
        return dict(zip(_SOURCES, found.groups(), strict=True))

    def index(self, architecture: Architecture) -> int:
        """Return the benchmark's own number of a cell, in [0, 15625).

        Raises:
            UsageError: The architecture is not of this space.
        """
        self.trace(architecture)
        return _places()[tuple(architecture[name] for name in _SOURCES)]

    def at(self, index: int) -> Architecture:
        """Return the cell of the benchmark's own number; training hyper-parameters are not set.

        Raises:
            UsageError: There is no such number.
        """
        if not 0 <= index < len(_order()):
            raise UsageError(f"an index is in [0, {len(_order())}), got {index}; choose one of them.")
        return Architecture(dict(zip(_SOURCES, _order()[index], strict=True)))

    def isomorphism(self, architecture: Architecture, *, zeros: bool = True) -> str:
        """Return the expression that cells share which the benchmark counts as one.

        It skips ``skip_connect`` and sorts sums. 6,466 differ if ``none`` and what it reaches count
        as zero, 12,751 if ``none`` counts as any operation. Zero summands stay and nested sums are
        not joined, so that ``graph.key``, where they are, is coarser.

        Args:
            architecture: A member.
            zeros: Whether ``none`` counts as zero.
        """
        nodes = ["0"]
        for target in (1, 2, 3):
            terms = []
            for source in range(target):
                operation, term = architecture[f"edge_{source}_{target}"], nodes[source]
                if zeros and (operation == "none" or term == "#"):
                    terms.append("#")
                else:
                    terms.append(term if operation == "skip_connect" else f"({term})@{operation}")
            nodes.append("+".join(sorted(terms)))
        return nodes[3]

    def _open_graph(self) -> Graph:
        b = Builder()
        x = b.add("stem", o.Conv2d(self.filters), b.input("image", self.input_shape))
        x = b.add("stem_norm", o.BatchNorm(), x)
        for stage in range(3):
            if stage:
                x = b.add(f"reduction_{stage}", o.ResidualReduction(self.filters * 2**stage), x)
            for number in range(self.cells):
                x = b.add(f"cell_{stage}_{number}", _CELL, x)
        x = b.add("relu", o.Activation("relu"), b.add("norm", o.BatchNorm(), x))
        return b.graph(b.add("head", o.Linear(self.n_outputs), b.add("pool", o.GlobalPool(), x)))


_SOURCES = {f"edge_{source}_{target}": source for source, target in EDGES}
_TREE = Group(tuple((name, choice(*CELL_OPERATIONS)) for name in _SOURCES))


def _joined(*terms: str) -> str:
    """Return six terms in the benchmark's notation: one group a node."""
    groups = (terms[:1], terms[1:3], terms[3:])
    return "+".join(f"|{'|'.join(group)}|" for group in groups)


def _open_cell() -> Graph:
    """Return the cell that keeps its input's channels, with all operations on every edge."""
    b = Builder()
    nodes = [b.input("node_0")]
    for target in (1, 2, 3):
        edges = []
        for source in range(target):
            path = f"edge_{source}_{target}"
            ends = []
            for name, operation in CELL_OPERATIONS.items():
                when = ((path, frozenset({name})),)
                end = b.add(f"{name}_{source}_{target}", operation, nodes[source], when=when)
                ends.append(under(end, path, name))
            edges.append(alternatives(*ends))
        nodes.append(b.add(f"node_{target}", o.Add(), *edges))
    return b.graph(nodes[3])


_CELL = _open_cell()


@lru_cache(maxsize=1)
def _order() -> tuple[tuple[str, ...], ...]:
    """Return the cells in the order of the benchmark: all of them, shuffled by its seed."""
    cells = list(product(CELL_OPERATIONS, repeat=len(EDGES)))
    random.Random(88).shuffle(cells)
    return tuple(cells)


@lru_cache(maxsize=1)
def _places() -> dict[tuple[str, ...], int]:
    return {cell: index for index, cell in enumerate(_order())}
