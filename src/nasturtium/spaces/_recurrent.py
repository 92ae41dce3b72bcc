"""Recurrent cells that are trees: the second space of Zoph & Le.

Zoph & Le 2017, "Neural Architecture Search with Reinforcement Learning" (arXiv 1611.01578), section
3.4 and figure 5.

Departure: embedding and cell have the same number of features, and the head is not the embedding's
transpose.
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
    from typing_extensions import Self

    from nasturtium.graphs import Operation, Wire
    from nasturtium.spaces._tree import Block

COMBINATIONS = ("add", "multiply")
ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu")


@final
@SPACES.register("recurrent")
@dataclass(frozen=True, kw_only=True)
class Recurrent(NetworkSpace):
    """Recurrent cells whose step is a binary tree of sums and products (Zoph & Le 2017).

    The tree has ``base`` leaves and 2 * base - 1 nodes, leaves first, the root last; node base + k
    joins the nodes 2k and 2k + 1. A leaf combines a linear function of the input with one of the
    previous output, both its own; every node is activated. The previous memory is combined with the
    value of the node ``cell.input`` and activated, before its parent reads it; the next memory is
    what the node ``cell.output`` has before its activation. The output is the root.

    Args:
        base: Leaves of the tree; 8 in the paper.
        hidden: Features of the embedding and of the cell.
        layers: Cells one after the other, equal but for their weights.
        dropout: Rate before each cell and before the head.
        combinations: How two values are joined: ``"add"``, ``"multiply"`` or both.
        activations: What a node may apply: names of activations, or ``"identity"``.

    Example:
        >>> f"{Recurrent().size:.3g}", Recurrent(base=2).size
        ('6.33e+16', 36864)
    """

    base: int = 8
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.0
    combinations: tuple[str, ...] = COMBINATIONS
    activations: tuple[str, ...] = ACTIVATIONS

    def __post_init__(self) -> None:
        """Check counts and names."""
        check_sequence(self)
        if self.base < 2:
            raise UsageError(f"a tree has at least two leaves, got base={self.base}; raise it.")
        if not self.combinations or not set(self.combinations) <= set(COMBINATIONS):
            raise UsageError(f"combinations are 'add' and 'multiply', got {self.combinations}; name one or both.")
        if not self.activations:
            raise UsageError("a node has activations to choose from, got none; name some, such as 'tanh'.")
        for name in self.activations:
            o.activated(name)

    @classmethod
    def small(cls) -> Self:
        """Return trees of two leaves with four features."""
        return cls(base=2, hidden=4)

    @property
    def root(self) -> Block:
        """Two decisions a node of the tree, two on how the memory enters, and two on where."""
        return _tree(self.base, self.combinations, self.activations)

    def _open_graph(self) -> Graph:
        return sequence_graph(self, _cell(self.base, self.hidden))


@lru_cache(maxsize=64)
def _tree(base: int, combinations: tuple[str, ...], activations: tuple[str, ...]) -> Group:
    step = group_of({"combine": choice(*combinations), "activation": choice(*activations)})
    place = choice(*range(2 * base - 1))
    nodes = {f"node_{i}": step for i in range(2 * base - 1)}
    return group_of({**nodes, "inject": step, "cell": group_of({"output": place, "input": place})})


def _combined(how: str) -> Operation:
    return o.Add() if how == "add" else o.Multiply()


@lru_cache(maxsize=64)
def _cell(base: int, hidden: int) -> Graph:
    """Return the open cell."""
    b = Builder()
    x = b.input("x")
    before, memory = delayed((Edge("hidden"),)), delayed((Edge("memory"),))
    places = range(2 * base - 1)
    combined: list[Wire] = []
    values: list[Wire] = []
    for i in places:
        if i < base:
            left = b.add(f"input_{i}", o.Linear(hidden, bias=False), x)
            right = b.add(f"recurrent_{i}", o.Linear(hidden, bias=False), before)
        else:
            left, right = values[2 * (i - base)], values[2 * (i - base) + 1]
        raw = b.add(f"combined_{i}", _combining(f"node_{i}"), left, right)
        value = b.add(f"node_{i}", _activating(f"node_{i}"), raw)
        here = (("cell.input", frozenset({i})),)
        joined = b.add(f"joined_{i}", _combining("inject"), value, memory, when=here)
        injected = b.add(f"injected_{i}", _activating("inject"), joined, when=here)
        elsewhere = under(value, "cell.input", *(place for place in places if place != i))
        values.append(alternatives(under(injected, "cell.input", i), elsewhere))
        combined.append(under(raw, "cell.output", i))
    b.add("memory", o.Identity(), alternatives(*combined))
    return b.graph(b.add("hidden", o.Identity(), values[-1]))


def _combining(path: str) -> OpenOperation:
    return OpenOperation(_combined, (("how", Pick(f"{path}.combine")),))


def _activating(path: str) -> OpenOperation:
    return OpenOperation(o.activated, (("function", Pick(f"{path}.activation")),))
