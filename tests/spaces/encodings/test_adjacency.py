"""Adjacency encodings: of fixed length, one to one with architectures, and read back."""

import numpy as np
import pytest

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import (
    SPACES,
    Architecture,
    Decisions,
    Morphism,
    choice,
    decisions,
    integer,
    option,
    real,
    subset,
)
from nasturtium.spaces.encodings import (
    adjacency_categorical,
    adjacency_continuous,
    adjacency_one_hot,
    architecture_at,
)
from nasturtium.testing import Shapes

ENCODINGS = [adjacency_one_hot, adjacency_categorical, adjacency_continuous]
FAMILIES = [pytest.param(cls.small().on(Shapes()), id=name) for name, cls in SPACES if issubclass(cls, Decisions)]
MIXED = decisions(
    optimizer=choice("sgd", option("adam", beta=real(0.8, 0.99), warm=subset("p", "q"))),
    width=integer(1, 100, log=True),
    skip=choice(False, True),
    flag=choice(True, False, None),
)


@pytest.mark.parametrize("encode", ENCODINGS)
@pytest.mark.parametrize("space", [*FAMILIES, pytest.param(MIXED, id="mixed")])
def test_one_vector_an_architecture(space, encode):
    rng = np.random.default_rng(0)
    found = {a.text: a for a in (space.sample(rng) for _ in range(60))}
    found |= {a.text: a for a in [space.mutate(a, rng) for a in found.values()]}
    vectors = [encode(space, a) for a in found.values()]
    assert len({v.shape for v in vectors}) == 1
    assert len({tuple(v.tolist()) for v in vectors}) == len(found)


@pytest.mark.parametrize("space", [*FAMILIES, pytest.param(MIXED, id="mixed")])
def test_the_continuous_encoding_is_read_back(space):
    rng = np.random.default_rng(1)
    for _ in range(30):
        a = space.sample(rng)
        again = architecture_at(space, adjacency_continuous(space, a))
        assert set(again) == set(a)
        assert all(
            again[path] == pytest.approx(a[path]) if isinstance(a[path], float) else again[path] == a[path]
            for path in a
        )


def test_sizes_of_the_benchmarks(edges, matrix):
    """21 bits and 5 operations (NAS-Bench-101), 6 operations of 5 (NAS-Bench-201): White et al. 2020."""
    rng = np.random.default_rng(0)
    a, b = matrix.sample(rng), edges().sample(rng)
    assert [encode(matrix, a).shape for encode in ENCODINGS] == [(21 + 15,), (21 + 5,), (21 + 1 + 5,)]
    assert [encode(edges(), b).shape for encode in ENCODINGS] == [(30,), (6,), (6,)]
    assert adjacency_one_hot(edges(), b).sum() == 6


def test_the_heaviest_edges_are_kept(matrix):
    vector = np.zeros(27)
    vector[:21] = np.linspace(1, 0, 21)
    vector[[5, 9, 20]] = 2.0, 3.0, 4.0
    vector[21] = 3
    kept = [path for path, value in architecture_at(matrix, vector).items() if value is True]
    assert [list(matrix.columns).index(path) for path in kept] == [5, 9, 20]


def test_any_vector_is_an_architecture(matrix):
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert architecture_at(matrix, rng.normal(scale=10, size=27)) in matrix


def test_wrong_arguments_are_refused(matrix):
    with pytest.raises(UsageError, match=r"has the shape \(27,\), got \(3,\)"):
        architecture_at(matrix, np.zeros(3))
    space = Morphism().on(Shapes())
    with pytest.raises(RequirementError, match="needs decisions, got Morphism"):
        adjacency_one_hot(space, space.start())


def test_decisions_that_options_open_are_found_at_any_depth():
    inner = option("c", deep=choice(1, 2))
    space = decisions(a=choice("x", option("b", more=choice("y", inner))), n=integer(1, 3))
    assert adjacency_one_hot(space, Architecture({"a": "x", "n": 1})).shape == (2 + 2 + 2 + 2,)
