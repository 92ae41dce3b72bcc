"""The space of NAS-Bench-Graph: graph neural networks of four computing nodes.

Qin, Zhang, Wang, Zhang & Zhu 2022, "NAS-Bench-Graph: Benchmarking Graph Neural Architecture Search",
NeurIPS Datasets and Benchmarks (arXiv 2206.09166), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import DecisionSpace, choice
from nasturtium.spaces._tree import Group, group_of

if TYPE_CHECKING:
    from nasturtium.spaces._architecture import Architecture

LINKS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
"""Which node each of the four reads: 0 is the input, k the k-th node. All shapes up to order."""

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")

Tree = tuple[str, tuple["Tree", ...]]
"""A node's operation and what reads it."""


@final
@SPACES.register("nasbench-graph", is_listed=False)
@dataclass(frozen=True, kw_only=True)
class NASBenchGraph(DecisionSpace):
    """Four computing nodes of a graph network: which shape, and an operation each.

    It is a table's space: its architectures have no networks here.

    References:
        Qin et al. 2022, NeurIPS, arXiv 2206.09166.
    """

    reference: ClassVar[str] = "Qin et al. 2022, arXiv 2206.09166"

    @cached_property
    def _root(self) -> Group:
        nodes = {f"op{node}": choice(*OPERATIONS) for node in (1, 2, 3, 4)}
        return group_of({"link": choice(*LINKS), **nodes})

    @property
    def root(self) -> Group:
        """The decision tree: the shape, then the operations."""
        return self._root

    def signature(self, architecture: Architecture) -> tuple[Tree, ...]:
        """Return what all architectures share that the benchmark counts as isomorphic.

        A skip that others read gives way to them; one that is alone behind its node, or that leads
        from the input to the output (whose widths differ), drops out.
        """
        operations = [architecture[f"op{node}"] for node in (1, 2, 3, 4)]
        readers: list[list[int]] = [[], [], [], [], []]
        for node, source in enumerate(architecture["link"], start=1):
            readers[int(source)].append(node)

        def behind(node: int) -> tuple[Tree, ...]:
            trees: list[Tree] = []
            for reader in readers[node]:
                below = behind(reader)
                operation = operations[reader - 1]
                trees += below if operation == "skip" and below else ((operation, below),)
            if node == 0:
                trees = [tree for tree in trees if tree != SKIP]
            return () if trees == [SKIP] else tuple(sorted(trees))

        return behind(0)


SKIP: Tree = ("skip", ())
