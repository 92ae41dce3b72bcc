"""Recurrent cells of highway units: the space that ENAS and DARTS search for language models.

Liu, Simonyan & Yang 2019, "DARTS: Differentiable Architecture Search" (arXiv 1806.09055), section
2.1 and appendix A.1.2; Pham, Guan, Zoph, Le & Dean 2018, "Efficient Neural Architecture Search via
Parameter Sharing" (arXiv 1802.03268), section 2.1. The units are those of the authors' code of DARTS.

Departure: the head is not the embedding's transpose. There is no batch normalization, which DARTS
has while it searches by shared weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Edge, Graph, OpenOperation, Pick, alternatives, delayed, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._sequence import check_sequence, sequence_graph
from nasturtium.spaces._tree import Group, group_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from nasturtium.graphs import Wire
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Value
    from nasturtium.spaces._tree import Block

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")


@final
@SPACES.register("recurrent-darts")
@dataclass(frozen=True, kw_only=True)
class RecurrentDARTS(NetworkSpace):
    """Recurrent cells in which each node moves one earlier node by a gate (Liu et al. 2019).

    Node 0 moves the previous output by a tanh of input and previous output. Each further node reads
    one earlier node and has an activation. The output is the mean of nodes.

    Args:
        nodes: Nodes besides node 0; 8 in DARTS, 11 in ENAS.
        hidden: Features of the embedding and of the cell.
        layers: Cells one after the other, equal but for their weights.
        dropout: Rate before each cell and before the head.
        activations: What a node may apply: names of activations, or ``"identity"``.
        output: Of which nodes the output is the mean: ``"all"`` but node 0, as in DARTS, or the
            ``"loose"`` ones, which no other reads, as in ENAS.

    Example:
        >>> RecurrentDARTS().size
        2642411520
    """

    nodes: int = 8
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.0
    activations: tuple[str, ...] = ACTIVATIONS
    output: str = "all"

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_sequence(self)
        if self.nodes < 1:
            raise UsageError(f"a cell has at least one node, got nodes={self.nodes}; raise it.")
        if not self.activations:
            raise UsageError("a node has activations to choose from, got none; name some, such as 'tanh'.")
        if self.output not in ("all", "loose"):
            raise UsageError(f"an output is the mean of 'all' or of the 'loose' nodes, got {self.output!r}.")
        for name in self.activations:
            o.activated(name)

    @classmethod
    def small(cls) -> Self:
        """Return cells of three nodes with four features."""
        return cls(nodes=3, hidden=4)

    @property
    def root(self) -> Block:
        """Which node each node reads, and its activation."""
        return _tree(self.nodes, self.activations)

    def genotype(self, genes: Sequence[tuple[str, int]]) -> Architecture:
        """Return the architecture of a published genotype.

        Args:
            genes: An (activation, earlier node) pair for each node from 1 on.

        Raises:
            UsageError: There are not as many pairs as nodes, or the architecture is not in the space.

        Example:
            >>> RecurrentDARTS(nodes=2).genotype([("tanh", 0), ("relu", 1)])["node_2.activation"]
            'relu'
        """
        try:
            pairs = [(activation, int(source)) for activation, source in genes]
        except (TypeError, ValueError) as error:
            raise UsageError(f"a node has an activation and an earlier node, got {genes!r}; give pairs.") from error
        if len(pairs) != self.nodes:
            raise UsageError(f"a cell of {self.nodes} nodes has as many pairs, got {len(pairs)}; give nodes=.")
        found: dict[str, Value] = {}
        for node, (activation, source) in enumerate(pairs, start=1):
            found |= {f"node_{node}.input": source, f"node_{node}.activation": activation}
        return self._read(found)

    def _open_graph(self) -> Graph:
        return sequence_graph(self, _cell(self.nodes, self.output))


@lru_cache(maxsize=64)
def _tree(nodes: int, activations: tuple[str, ...]) -> Group:
    def node(index: int) -> Group:
        return group_of({"input": choice(*range(index)), "activation": choice(*activations)})

    return group_of({f"node_{index}": node(index) for index in range(1, nodes + 1)})


@lru_cache(maxsize=64)
def _cell(nodes: int, output: str) -> Graph:
    """Return the open cell; it has as many features as reach it."""
    b = Builder()
    x = b.input("x")
    states = [b.add("node_0", o.Highway("tanh"), x, delayed((Edge("hidden"),)))]
    for index in range(1, nodes + 1):
        path = f"node_{index}"
        source = alternatives(*(under(state, f"{path}.input", i) for i, state in enumerate(states)))
        states.append(b.add(path, OpenOperation(o.Highway, (("function", Pick(f"{path}.activation")),)), source))
    ends = states[1:]
    if output == "loose":
        ends = [_if_loose(state, index, nodes) for index, state in enumerate(ends, start=1)]
    return b.graph(b.add("hidden", o.Mean(), *ends))


def _if_loose(state: Wire, index: int, nodes: int) -> Wire:
    """Return a node's wire, which exists if no later node reads it."""
    for later in range(index + 1, nodes + 1):
        state = under(state, f"node_{later}.input", *(i for i in range(later) if i != index))
    return state
