"""What growing spaces share."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.spaces import SPACES, Architecture, GrowingSpace
from nasturtium.testing import Shapes


@dataclass(frozen=True, kw_only=True)
class Counting(GrowingSpace):
    """Grows by one a mutation."""

    steps: int = 4

    def network(self, architecture):
        b = Builder()
        x = b.input("x", self.input_shape)
        for i in range(architecture["n"]):
            x = b.add(f"relu_{i}", o.Activation("relu"), x)
        return b.graph(x)

    def _first(self, rng):
        return Architecture({"n": 0})

    def _mutate(self, architecture, rng):
        return Architecture({"n": architecture["n"] + 1})

    def _contains(self, architecture):
        return True


def test_each_number_of_mutations_is_equally_likely():
    rng = np.random.default_rng(0)
    drawn = Counter(Counting().sample(rng)["n"] for _ in range(2_000))
    assert sorted(drawn) == [0, 1, 2, 3, 4]
    assert all(abs(n - 400) < 80 for n in drawn.values())


@pytest.mark.parametrize("cls", [Counting, *(cls for _, cls in SPACES if issubclass(cls, GrowingSpace))])
def test_it_takes_the_tasks_shapes(cls):
    space = cls.small().on(Shapes((3, 10, 12), 7))
    assert (space.input_shape, space.n_outputs) == ((3, 10, 12), 7)
    assert cls.small().on(Shapes()) != space
