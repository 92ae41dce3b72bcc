"""Weisfeiler-Lehman features of spaces: one to one with keys where relabeling tells all apart."""

from itertools import product

import numpy as np
import pytest

from nasturtium.spaces import SPACES, Architecture, NASBench201, Networks
from nasturtium.spaces.encodings import adjacency_continuous, adjacency_one_hot, architecture_at, weisfeiler_lehman
from nasturtium.spaces.encodings._levels import levels_of
from nasturtium.testing import Shapes

FAMILIES = [pytest.param(cls.small().on(Shapes()), id=name) for name, cls in SPACES if issubclass(cls, Networks)]


def as_key(counts):
    return str(sorted(counts.items()))


def test_one_to_one_with_keys_on_a_whole_space(edges):
    space = edges("none", "skip", "conv_3")
    features, keys = {}, {}
    for names in product(space.names, repeat=6):
        a = Architecture(dict(zip(space.columns, names, strict=True)))
        key, counts = space.network(a).key, as_key(weisfeiler_lehman(space, a, 3))
        assert features.setdefault(key, counts) == counts
        assert keys.setdefault(counts, key) == key
    assert len(keys) > 50


@pytest.mark.parametrize("space", FAMILIES)
def test_other_features_are_another_key(space):
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(30)]
    features = {}
    for a in drawn:
        counts = as_key(weisfeiler_lehman(space, a, 3))
        features.setdefault(counts, set()).add(space.network(a).key)
    n_keys = len(set.union(*features.values()))
    assert len(features) > 0.8 * n_keys


def test_cells_of_one_kind_are_read_once(edges):
    space = edges()
    a = space.sample(np.random.default_rng(0))
    assert [place for place, _ in levels_of(space, a)] == [("cell_0",)]


@pytest.mark.slow
def test_one_to_one_with_keys_on_all_of_nasbench201():
    """15,625 cells: as many feature counts as keys, and each encoding read back."""
    space = NASBench201.small().on(Shapes())
    features, keys, vectors = {}, {}, set()
    for a in space:
        key, counts = space.graph(a).key, as_key(weisfeiler_lehman(space, a, 3))
        assert features.setdefault(key, counts) == counts
        keys.setdefault(counts, set()).add(key)
        assert architecture_at(space, adjacency_continuous(space, a)) == a
        vectors.add(tuple(adjacency_one_hot(space, a)))
    assert len(vectors) == 15_625
    assert len(features) == len(keys)
    assert max(map(len, keys.values())) == 1
