"""Fixtures of the tests of encodings."""

from dataclasses import dataclass

import pytest

from nasturtium.graphs import Builder, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Group
from nasturtium.testing import Shapes

PAIRS = [(u, v) for v in range(1, 4) for u in range(v)]
OPERATIONS = {
    "none": o.Zero(),
    "skip": o.Identity(),
    "conv_1": o.Conv2d(4, 1),
    "conv_3": o.Conv2d(4, 3),
    "pool": o.AvgPool(3),
}


@dataclass(frozen=True, kw_only=True)
class Edges(NetworkSpace):
    """Two cells of four nodes in a row, an operation on every edge: the shape of NAS-Bench-201.

    Args:
        names: The operations to choose from.
    """

    names: tuple[str, ...] = tuple(OPERATIONS)

    @property
    def root(self):
        return Group(tuple((f"{u}_{v}", choice(*self.names)) for u, v in PAIRS))

    def _open_graph(self):
        b = Builder()
        x = b.add("stem", o.Conv2d(4), b.input("image", self.input_shape))
        for i in range(2):
            x = b.add(f"cell_{i}", self._cell(), x)
        return b.graph(b.add("head", o.Linear(self.n_outputs), b.add("pool", o.GlobalPool(), x)))

    def _cell(self):
        b = Builder()
        states = [b.input("x")]
        for v in range(1, 4):
            ends = [self._edge(b, u, v, states[u]) for u in range(v)]
            states.append(b.add(f"sum_{v}", o.Add(), *ends))
        return b.graph(states[3])

    def _edge(self, b, u, v, wire):
        path, ends = f"{u}_{v}", []
        for name in self.names:
            when = ((path, frozenset({name})),)
            ends.append(under(b.add(f"{name}_{u}_{v}", OPERATIONS[name], wire, when=when), path, name))
        return alternatives(*ends)


@dataclass(frozen=True, kw_only=True)
class Matrix(NetworkSpace):
    """A cell of up to five operations and any edges in between: the shape of NAS-Bench-101."""

    vertices: int = 7

    @property
    def root(self):
        n = self.vertices
        edges = tuple((f"edge_{u}_{v}", choice(False, True)) for v in range(n) for u in range(v))
        labels = tuple((f"op_{v}", choice("conv_1", "conv_3", "pool")) for v in range(1, n - 1))
        return Group((*edges, *labels))

    def _open_graph(self):
        n = self.vertices
        b = Builder()
        states = [b.input("x", self.input_shape)]
        for v in range(1, n):
            ends = [under(states[u], f"edge_{u}_{v}", True) for u in range(v)]
            total = b.add(f"sum_{v}", o.Add(), *ends)
            if v == n - 1:
                return b.graph(total)
            path, made = f"op_{v}", []
            for name in ("conv_1", "conv_3", "pool"):
                when = ((path, frozenset({name})),)
                made.append(under(b.add(f"{name}_{v}", OPERATIONS[name], total, when=when), path, name))
            states.append(alternatives(*made))


@pytest.fixture
def edges():
    """Return what makes a space in the shape of NAS-Bench-201, bound."""
    return lambda *names: (Edges(names=names) if names else Edges()).on(Shapes())


@pytest.fixture
def matrix():
    """Return a space in the shape of NAS-Bench-101, bound."""
    return Matrix().on(Shapes())
