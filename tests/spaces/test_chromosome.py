"""Chromosomes: graphs of nodes with values, as DeepNEAT evolves them."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import CoDeepNEAT
from nasturtium.spaces._chromosome import SINK, SOURCE, Chromosome, Rates, crossed, distance, minimal, mutated

KIND = CoDeepNEAT().module
STRUCTURE = Rates(add_node=0.5, add_edge=0.5)


def grown(seed, n=12, rates=STRUCTURE):
    rng = np.random.default_rng(seed)
    chromosome = minimal(KIND, rng)
    for _ in range(n):
        chromosome = mutated(chromosome, KIND, rng, rates)
    return chromosome


def test_all_start_with_one_node():
    chromosome = minimal(KIND, np.random.default_rng(0))
    assert chromosome.edges == (("node", SINK), (SOURCE, "node"))
    assert chromosome.order() == [SOURCE, "node", SINK]


@pytest.mark.parametrize("seed", range(20))
def test_mutants_are_sound_and_differ(seed):
    rng = np.random.default_rng(seed)
    chromosome = grown(seed)
    for _ in range(20):
        child = mutated(chromosome, KIND, rng)
        assert Chromosome.of(child.to_json(), KIND) == child
        assert child != chromosome
        chromosome = child


def test_a_node_splits_an_edge_and_a_new_edge_joins_two_nodes():
    kinds = Counter()
    for seed in range(300):
        before = grown(seed % 10, 5)
        after = mutated(before, KIND, np.random.default_rng(seed), Rates(0.3, 0.3))
        new = set(dict(after.nodes)) - set(dict(before.nodes))
        n_edges = len(after.edges) - len(before.edges)
        if new:
            (name,) = new
            (a,), (b,) = after.sources(name), [to for of, to in after.edges if of == name]
            assert set(before.edges) - set(after.edges) == {(a, b)}
            assert n_edges == 1
        kinds["node" if new else "edge" if n_edges else "values"] += 1
    assert kinds["node"] == pytest.approx(90, abs=25)
    assert kinds["edge"] == pytest.approx(90, abs=25)


def test_equal_innovations_have_equal_marks():
    start = minimal(KIND, np.random.default_rng(0))
    split = Rates(add_node=1.0, add_edge=0.0)
    names = {name for seed in range(20) for name, _ in mutated(start, KIND, np.random.default_rng(seed), split).nodes}
    assert len(names) == 3  # the first node, and one for each of the two edges


def test_values_move_near_for_numbers_and_to_another_option():
    rng = np.random.default_rng(0)
    before = minimal(KIND, rng)
    steps, others = [], []
    for _ in range(300):
        after = mutated(before, KIND, rng, Rates(0.0, 0.0, change=1.0, step=0.05))
        assert after.edges == before.edges
        old, new = before.nodes[0][1], after.nodes[0][1]
        steps.append(KIND.node[2].position(new[2], {}) - KIND.node[2].position(old[2], {}))
        others.append((old[1] != new[1], old[3] != new[3], before.settings != after.settings))
    assert np.all(others)
    assert np.std(steps) == pytest.approx(0.05, rel=0.3)


def test_a_child_has_the_fitter_graph_and_values_of_both():
    rng = np.random.default_rng(0)
    fitter, other = grown(1), grown(2)
    shared = set(dict(fitter.nodes)) & set(dict(other.nodes))
    found = Counter()
    for _ in range(200):
        child = crossed(fitter, other, rng)
        assert child.edges == fitter.edges
        for name, values in child.nodes:
            assert values in (dict(fitter.nodes)[name], dict(other.nodes).get(name))
            if name in shared:
                found[name] += values == dict(other.nodes)[name]
    assert all(found[name] == pytest.approx(100, abs=35) for name in shared)
    assert crossed(fitter, fitter, rng) == fitter


def test_distance_is_zero_to_itself_and_symmetric():
    for seed in range(10):
        a, b = grown(seed), grown(seed + 100)
        assert distance(a, a, KIND) == 0
        assert distance(a, b, KIND) == pytest.approx(distance(b, a, KIND))
        assert 0 < distance(a, b, KIND) <= 3


def test_distance_by_hand():
    nodes = (("node", (8, 3, 0.0, True)),)
    a = Chromosome(nodes, (("node", SINK), (SOURCE, "node")), ("sum",))
    b = Chromosome((("node", (8, 1, 0.35, True)),), a.edges, ("sum",))
    assert distance(a, b, KIND) == pytest.approx((0 + 0 + 1 + 0.5 + 0) / 5)
    skip = Chromosome(nodes, tuple(sorted((*a.edges, (SOURCE, SINK)))), ("sum",))
    assert distance(a, skip, KIND) == pytest.approx(1 / 4)  # of four genes one is apart


@pytest.mark.parametrize(
    "data",
    [
        ((), ((SOURCE, SINK),)),
        ((("node", (8, 3, 0.0)),), (("node", SINK), (SOURCE, "node")), ("sum",)),
        ((("node", (8, 3, 0.0, True)),), ((SOURCE, SINK),), ("sum",)),
        ((("node", (8, 3, 0.0, True)),), (("node", "node"), ("node", SINK), (SOURCE, "node")), ("sum",)),
        ((("node", (8, 3, 0.0, True)),), ((SOURCE, "node"), ("node", SINK)), ("sum",)),
        ((("x", (8, 3, 0.0, True)),), (("x", SINK), (SOURCE, "x")), ("sum",)),
        17,
    ],
)
def test_what_is_no_chromosome_is_refused(data):
    with pytest.raises(UsageError, match=r"a chromosome (has|is)"):
        Chromosome.of(data, KIND)
