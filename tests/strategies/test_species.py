"""Species: who belongs where, and how many children each has."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasturtium.strategies._species import Species, judged, quotas, speciated


def apart(a, b):
    return abs(a - b)


def species_of(genomes, before, threshold):
    return speciated(genomes, before, lambda other: [apart(genome, other) for genome in genomes], threshold)


def test_a_genome_joins_the_first_species_that_it_is_close_to():
    before = [Species(4, 0.0, (0,), best=1.0, stale=3), Species(7, 1.0, (1,)), Species(9, 50.0, (2,))]
    found = species_of([0.6, 1.4, 10.0, 10.2], before, 1.0)
    assert [(s.number, s.members) for s in found] == [(4, (0,)), (7, (1,)), (10, (2, 3))]  # 9 has died
    assert [s.representative for s in found] == [0.6, 1.4, 10.0]  # for the next generation
    assert (found[0].best, found[0].stale) == (1.0, 3)
    assert (found[2].best, found[2].stale) == (-inf, 0)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0.1, 5))
def test_everyone_is_in_one_species_and_close_to_who_founded_it(genomes, threshold):
    found = species_of(genomes, [], threshold)
    assert sorted(row for s in found for row in s.members) == list(range(len(genomes)))
    for s in found:
        assert all(apart(genomes[row], s.representative) < threshold for row in s.members)
    heads = [s.representative for s in found]
    for i, head in enumerate(heads):
        assert all(apart(head, other) >= threshold for other in heads[:i])


def test_a_species_is_stale_while_its_best_does_not_rise():
    species = (Species(0, 0.0, (0, 1)), Species(1, 5.0, (2,)))
    species = judged(species, [1.0, 2.0, 3.0])
    assert [(s.best, s.stale) for s in species] == [(2.0, 0), (3.0, 0)]
    species = judged(species, [2.0, 1.0, 4.0])
    assert [(s.best, s.stale) for s in species] == [(2.0, 1), (4.0, 0)]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(0, 300))
def test_quotas_sum_up_and_are_in_proportion(shares, n):
    counts = np.array(quotas(shares, n))
    weights = np.array(shares) if sum(shares) > 0 else np.ones(len(shares))
    expected = n * weights / weights.sum()
    assert counts.sum() == n
    assert (counts >= 0).all()
    assert (np.abs(counts - expected) <= 1 + 1e-6).all()


@pytest.mark.parametrize(
    ("shares", "n", "counts"),
    [
        ([1.0, 1.0, 1.0], 10, (3, 3, 4)),  # the fractions add up along the way
        ([0.0, 0.0], 5, (2, 3)),
        ([2.5, 0.0, 7.5], 4, (1, 0, 3)),
        ([1.0], 7, (7,)),
    ],
)
def test_quotas_by_hand(shares, n, counts):
    assert quotas(shares, n) == counts
