"""Hierarchical evolution (Liu et al. 2018): its mutation, and what it finds on a table."""

import json
from collections import Counter

import numpy as np
import pytest

from nasturtium.benchmarking import load
from nasturtium.spaces import Hierarchical, choice, decisions, option
from nasturtium.strategies import HierarchicalEvolution, MutationByLevel, RandomSearch
from nasturtium.strategies._variation import descended
from nasturtium.testing._running import run

SPACE = Hierarchical()


def test_level_motif_successor_and_predecessor_are_drawn_in_turn():
    rng = np.random.default_rng(0)
    trivial = SPACE.trivial()
    n = 2_000
    counts = Counter()
    for _ in range(n):
        child = MutationByLevel().child(SPACE, (trivial,), 0, rng)
        (path,) = (name for name in child if child[name] != trivial[name])  # one entry of one matrix
        counts[tuple(path.split("."))] += 1
    for path, count in counts.items():
        level, _, successor, _ = path
        expected = n / 2 / (6 * 3 if level == "2" else 1 * 4) / (int(successor) - 1)
        assert count == pytest.approx(expected, abs=4.5 * np.sqrt(expected) + 1), path
    assert len(counts) == 46


def test_the_new_label_is_any_other():
    rng = np.random.default_rng(0)
    labels = set()
    for _ in range(1_000):
        child = MutationByLevel().child(SPACE, (SPACE.trivial(),), 0, rng)
        labels.add(child["3.0.2.1"])
    assert labels == {"none", *(f"motif_{i}" for i in range(6))}


def test_a_hundred_mutations_tell_all_genotypes_apart():
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(20):
        genotype = SPACE.trivial()
        for _ in range(100):
            genotype = MutationByLevel().child(SPACE, (genotype,), 0, rng)
        found.add(genotype)
    assert len(found) == 20


def test_paths_end_at_any_depth():
    rng = np.random.default_rng(0)
    drawn = Counter(descended(("a", "a.a", "b.x", "b.y"), rng) for _ in range(2_000))
    assert all(drawn[path] == pytest.approx(500, abs=90) for path in ("a", "a.a", "b.x", "b.y"))


def test_a_choice_that_opens_others_is_completed():
    space = decisions(optimizer=choice("sgd", option("adam", beta=choice(1, 2))), width=choice(1, 2, 3))
    rng = np.random.default_rng(0)
    for _ in range(50):
        parent = space.sample(rng)
        child = MutationByLevel().child(space, (parent,), 0, rng)
        assert child in space
        assert child != parent


LABELS = {
    "none": "none",
    "identity": "skip_connect",
    "conv_1": "nor_conv_1x1",
    "sep_conv_3": "nor_conv_3x3",
    "avg_pool_3": "avg_pool_3x3",
}
"""The labels of one motif of four nodes, and what they are called in NAS-Bench-201."""


def test_it_beats_random_search_on_a_table_mapped_to_its_space():
    bench = load("nasbench201-cifar10-e12")
    space = Hierarchical(motifs=(1,), nodes=(4,), primitives=tuple(LABELS)[1:])
    assert space.size == bench.space.size == 15_625
    errors = bench.estimator.table.column("valid_error")

    def metrics(architecture):
        edges = (path.split(".")[2:] for path in architecture)  # successor and predecessor, counted from 1
        cell = {
            f"edge_{int(j) - 1}_{int(i) - 1}": LABELS[a] for (i, j), a in zip(edges, architecture.values(), strict=True)
        }
        row = bench.estimator.row(bench.space.parse(json.dumps(cell)))
        return {"loss": float(errors[row])}

    def best(strategy):
        return np.array(
            [run(strategy, space, metrics, trials=150, seed=seed).history().losses().min() for seed in range(20)]
        )

    found, random = best(HierarchicalEvolution(20, repeats="allow")), best(RandomSearch(repeats="allow"))
    assert found.mean() + 3 * np.sqrt((found.var() + random.var()) / 20) < random.mean()
