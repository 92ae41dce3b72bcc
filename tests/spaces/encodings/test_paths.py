"""Path encodings: the published numbers of paths, equal for like cells, and what truncation keeps."""

import json
from itertools import product

import numpy as np
import pytest

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import Architecture, Chain, Morphism, NASBench201, NASNet, chain, choice, op, repeat
from nasturtium.spaces.encodings import path, path_vocabulary, paths, truncated_path
from nasturtium.testing import Shapes


def test_numbers_of_paths_of_the_benchmarks(edges, matrix):
    """NAS-Bench-101: 1 + 3 + ... + 3^5 (BANANAS, section 4.1); NAS-Bench-201: 5 + 25 + 125."""
    assert len(path_vocabulary(matrix)) == sum(3**i for i in range(6)) == 364
    assert len(path_vocabulary(edges())) == len(path_vocabulary(NASBench201())) == 5 + 25 + 125


def test_a_cell_has_the_paths_of_its_blueprints(edges):
    """The ways 0->3, 0->1->3, 0->2->3 and 0->1->2->3."""
    a = Architecture({"0_1": "skip", "0_2": "pool", "1_2": "conv_1", "0_3": "none", "1_3": "conv_3", "2_3": "none"})
    found = {tuple(json.loads(letter)["name"] for letter in way[1:]) for way in paths(edges(), a)}
    assert {len(way) for way in found} == {1, 2, 3}
    assert found == {("zero",), ("identity", "conv2d"), ("avg_pool", "zero"), ("identity", "conv2d", "zero")}
    vector = path(edges(), a)
    assert vector.sum() == 4
    assert set(np.array(path_vocabulary(edges()), dtype=object)[vector == 1]) == paths(edges(), a)


def cell_of(edges, labels):
    """Return the cell of NAS-Bench-101's shape with these edges, and the labels of the five inner vertices."""
    values = {f"edge_{u}_{v}": (u, v) in edges for v in range(7) for u in range(v)}
    return Architecture({**values, **{f"op_{v}": label for v, label in enumerate(labels, start=1)}})


def test_like_cells_have_like_paths_and_other_bits(matrix):
    edges = {(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6), (4, 6), (5, 6)}
    labels = ["conv_1", "conv_3", "pool", "conv_1", "conv_3"]
    place = [0, 2, 1, 3, 5, 4, 6]
    a = cell_of(edges, labels)
    b = cell_of({(place[u], place[v]) for u, v in edges}, [labels[place[v] - 1] for v in range(1, 6)])
    assert b != a
    assert b in matrix
    assert matrix.network(b).key == matrix.network(a).key
    assert np.array_equal(path(matrix, a), path(matrix, b))


def test_equal_keys_have_equal_paths_where_identities_and_zeros_are_out(edges):
    """Many to one, as the authors say: fewer vectors than keys, and never two for one key."""
    space = edges("conv_1", "conv_3")
    vectors = {}
    for names in product(("conv_1", "conv_3"), repeat=6):
        a = Architecture(dict(zip(space.columns, names, strict=True)))
        vectors.setdefault(space.network(a).key, set()).add(tuple(path(space, a)))
    assert all(len(same) == 1 for same in vectors.values())
    assert 1 < len(set.union(*vectors.values())) <= len(vectors)


def test_the_most_frequent_paths_are_kept(edges):
    space = edges()
    rng = np.random.default_rng(5)
    drawn = [space.sample(rng) for _ in range(200)]
    kept = np.mean([truncated_path(space, a, 30) for a in drawn], axis=0)
    assert kept.shape == (30,)
    assert kept[:5].mean() == pytest.approx(1 / 5, abs=0.03)  # those of one letter come first
    assert kept[5:].mean() == pytest.approx(2 / 25, abs=0.02)  # of two letters there are two ways
    assert truncated_path(space, drawn[0], 200).shape == (200,)


def test_every_kind_of_cell_is_read():
    space = NASNet.small().on(Shapes())
    a = space.sample(np.random.default_rng(0))
    assert {way[0] for way in paths(space, a)} == {"normal_0", "reduction_1"}
    assert {way[1] for way in paths(space, a)} <= {"previous", "last"}


def test_hyperparameters_that_are_chosen_are_letters():
    space = chain(op("conv", out=choice(8, 16)), repeat(op("sep_conv"), at_most=2), op("global_pool"), op("linear"))
    space = space.on(Shapes())
    assert len(path_vocabulary(space)) == 2 * 3
    assert len({tuple(path(space, a)) for a in space}) == space.size


def test_a_growing_space_has_the_truncated_encoding_alone():
    space = Morphism(layers=2).on(Shapes())
    a = space.start()
    assert len(paths(space, a)) == 1
    assert truncated_path(space, a, 10).sum() == 1
    with pytest.raises(RequirementError, match="no open graph"):
        path(space, a)


def test_too_many_paths_are_refused():
    with pytest.raises(UsageError, match="at most 100,000 paths"):
        path_vocabulary(Chain(stages=4, depth=6).on(Shapes()))
