"""The recurrent cells that people designed, as graphs like those that are found: LSTM and GRU.

Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers, Schmidhuber &
Cummins 2000; Cho et al. 2014 (arXiv 1406.1078), the gated recurrent unit, in the form of torch.

Departure from ``nn.LSTM`` and ``nn.GRU``: one constant a gate, where they have two that are summed;
for the candidate of the GRU both are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.graphs import Builder, Edge, Graph, delayed
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._sequence import check_sequence, sequence_graph
from nasturtium.spaces._tree import Group, group_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._tree import Block


@final
@SPACES.register("recurrent-baseline")
@dataclass(frozen=True, kw_only=True)
class RecurrentBaseline(ClosedNetworkSpace):
    """The LSTM and the GRU, to hold against cells that were found.

    Args:
        hidden: Features of the embedding and of the cell.
        layers: Cells one after the other, equal but for their weights.
        dropout: Rate before each cell and before the head.

    Example:
        >>> [a["kind"] for a in RecurrentBaseline()]
        ['lstm', 'gru']
    """

    hidden: int = 64
    layers: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Check the sizes."""
        check_sequence(self)

    @classmethod
    def small(cls) -> Self:
        """Return cells of four features."""
        return cls(hidden=4)

    @property
    def root(self) -> Block:
        """Which of the two."""
        return _TREE

    def _network(self, architecture: Architecture) -> Graph:
        cell = _lstm(self.hidden) if architecture["kind"] == "lstm" else _gru(self.hidden)
        return sequence_graph(self, cell)


_TREE: Group = group_of({"kind": choice("lstm", "gru")})


@lru_cache(maxsize=64)
def _lstm(hidden: int) -> Graph:
    b = Builder()
    joined = b.add("joined", o.Concat(), b.input("x"), delayed((Edge("hidden"),)))
    gates = b.add("gates", o.Linear(4 * hidden), joined)
    parts = {name: b.add(f"{name}_part", o.Part(i, 4), gates) for i, name in enumerate(("i", "f", "g", "o"))}
    i, f, out = (b.add(name, o.Activation("sigmoid"), parts[name]) for name in ("i", "f", "o"))
    candidate = b.add("g", o.Activation("tanh"), parts["g"])
    kept = b.add("kept", o.Multiply(), f, delayed((Edge("memory"),)))
    memory = b.add("memory", o.Add(), kept, b.add("written", o.Multiply(), i, candidate))
    return b.graph(b.add("hidden", o.Multiply(), out, b.add("shown", o.Activation("tanh"), memory)))


@lru_cache(maxsize=64)
def _gru(hidden: int) -> Graph:
    b = Builder()
    x, before = b.input("x"), delayed((Edge("hidden"),))
    gates = b.add("gates", o.Linear(2 * hidden), b.add("joined", o.Concat(), x, before))
    reset, update = (
        b.add(name, o.Activation("sigmoid"), b.add(f"{name}_part", o.Part(i, 2), gates))
        for i, name in enumerate(("reset", "update"))
    )
    read = b.add("read", o.Multiply(), reset, b.add("recurrent", o.Linear(hidden), before))
    raw = b.add("raw", o.Add(), b.add("input", o.Linear(hidden), x), read)
    return b.graph(b.add("hidden", o.Interpolate(), b.add("candidate", o.Activation("tanh"), raw), before, update))
