"""Angeline, Saunders & Pollack 1994, section III: what a child changes."""

import math

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.strategies import GNARL, Annealing

SPACE = Neurons(input_shape=(2,), n_outputs=1, is_recurrent=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def child(annealing, parent, rng):
    return Genome.of(annealing.child(SPACE, [parent.architecture()], 0, rng))


def test_without_temperature_weights_stay_and_only_the_least_changes(rng):
    parent = Genome.of(Annealing(most_hidden=4).founder(SPACE, rng))
    cold = Annealing(neurons=(0, 3), connections=(0, 5), temperature=0.0)
    assert child(cold, parent, rng) == parent
    one = Annealing(neurons=(0, 0), connections=(1, 5), temperature=0.0)
    for _ in range(20):
        genes = child(one, parent, rng).genes
        assert len(genes.keys() - parent.genes.keys()) <= 1
        assert len(parent.genes.keys() - genes.keys()) <= 1


def test_what_is_added_changes_no_output_at_first(rng):
    parent = Genome.of(SPACE.start(rng))
    only_adds = Annealing(neurons=(0, 2), connections=(0, 0), temperature=1.0, alpha=1e-12)
    for _ in range(20):
        grown = child(only_adds, parent, rng)
        outputs = [SPACE.circuit(g.architecture(), math).step((0.3, -0.8, 1.0))[0] for g in (parent, grown)]
        assert outputs[0] == pytest.approx(outputs[1], abs=1e-4)
    connected = [child(Annealing(neurons=(0, 0), connections=(3, 3), temperature=0.0), parent, rng) for _ in range(9)]
    fresh = [gene.weight for g in connected for name, gene in g.genes.items() if name not in parent.genes]
    assert fresh
    assert set(fresh) == {0.0}


def test_weights_change_with_the_variance_of_the_instantaneous_temperature(rng):
    parent = Genome({}, {("x0", "y0", 0): Gene(0.0)})
    annealing = Annealing(alpha=2.0, neurons=(0, 0), connections=(0, 0), temperature=0.5)
    weights = [child(annealing, parent, rng).genes["x0", "y0", 0].weight for _ in range(4_000)]
    assert np.var(weights) == pytest.approx(2.0 * 0.5 * 0.5, rel=0.1)  # u is 1/2 on average


def test_the_temperature_is_the_parents_loss_within_bounds():
    losses = [-1.0, 0.0, 0.5, 2.0, 9.0]
    temperatures = [Annealing(worst=2.0).inherited(np.array([loss])).temperature for loss in losses]
    assert temperatures == [0.0, 0.0, 0.25, 1.0, 1.0]


def test_the_first_population_is_random_within_its_bounds(rng):
    founders = [Genome.of(Annealing(most_hidden=3, most_connections=6).founder(SPACE, rng)) for _ in range(200)]
    assert {len(genome.neurons) for genome in founders} == {0, 1, 2, 3}
    assert {len(genome.genes) for genome in founders} <= set(range(7))
    assert all(founder.architecture() in SPACE for founder in founders)


def test_the_first_population_never_has_more_connections_than_it_may(rng):
    for most in (0, 1, 2):
        founders = [Genome.of(Annealing(most_connections=most).founder(SPACE, rng)) for _ in range(50)]
        assert max(len(genome.genes) for genome in founders) == most


def test_a_line_of_descent_keeps_its_connections_unless_each_child_loses_a_neuron():
    def kept(neurons):
        n_before = n_after = 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            cool = Annealing(neurons=neurons, temperature=0.1)
            child = founder = cool.founder(SPACE, rng)
            for _ in range(100):
                child = cool.child(SPACE, [child], 0, rng)
            n_before, n_after = n_before + len(Genome.of(founder).genes), n_after + len(Genome.of(child).genes)
        return n_after / n_before

    assert kept(GNARL().neurons) > 0.5
    assert kept((1, 3)) < 0.2  # the least that the paper is remembered by


def test_wrong_numbers_are_refused():
    with pytest.raises(UsageError, match="least <= most"):
        Annealing(neurons=(3, 1))
    with pytest.raises(UsageError, match="positive"):
        Annealing(alpha=0.0)
