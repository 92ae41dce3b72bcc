"""Stanley & Miikkulainen 2002, section 3.1: what structural mutations do to genes."""

import numpy as np
import pytest

from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.spaces._genome_edits import connected, disconnected, split, toggled, without_neuron

SPACE = Neurons(input_shape=(2,), n_outputs=1, is_recurrent=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def enabled(genome):
    return sum(gene.is_enabled for gene in genome.genes.values())


def test_a_split_adds_two_connections_and_disables_one(rng):
    genome = Genome.of(SPACE.start(rng))
    for _ in range(20):
        child = split(genome, SPACE, rng)
        assert len(child.genes) == len(genome.genes) + 2
        assert enabled(child) == enabled(genome) + 1
        (name,) = set(child.neurons) - set(genome.neurons)
        (source,) = [s for s, t, _ in child.genes if t == name]
        (target,) = [t for s, t, _ in child.genes if s == name]
        assert source != "bias"
        assert child.genes[source, name, 0] == Gene(1.0)
        assert child.genes[name, target, 0].weight == genome.genes[source, target, 0].weight
        genome = child


def test_two_equal_splits_are_one_innovation(rng):
    genome = Genome({}, {("x0", "y0", 0): Gene(0.3)})
    assert split(genome, SPACE, rng).neurons == split(genome, SPACE, rng).neurons


def test_a_connection_joins_what_was_not_joined_and_never_closes_a_cycle_without_delay(rng):
    genome = Genome.of(SPACE.start(rng))
    for turn in range(60):
        edit = split(genome, SPACE, rng) if turn % 4 == 0 else connected(genome, SPACE, rng, turn % 2, 0.5)
        genome = edit or genome
        genome.order(SPACE.targets)
    kinds = {delay: sum(name[2] == delay for name in genome.genes) for delay in (0, 1)}
    assert kinds[1] > 0
    assert not any(target in SPACE.sources for _, target, _ in genome.genes)
    alone = Genome({}, {("x0", "y0", 0): Gene(1.0), ("x1", "y0", 0): Gene(1.0), ("bias", "y0", 0): Gene(1.0)})
    assert connected(alone, SPACE, rng, 0, 1.0) is None


def test_a_neuron_goes_with_its_connections(rng):
    genome = split(Genome.of(SPACE.start(rng)), SPACE, rng)
    child = without_neuron(genome, rng)
    assert child.neurons == {}
    assert set(child.genes) == {name for name in genome.genes if name[0] in SPACE.sources and name[1] == "y0"}
    assert without_neuron(child, rng) is None


def test_toggling_and_disconnecting_touch_one_gene(rng):
    genome = Genome.of(SPACE.start(rng))
    assert enabled(toggled(genome, rng)) == 2
    assert len(disconnected(genome, rng).genes) == 2
    assert toggled(Genome({}, {}), rng) is None
    assert disconnected(Genome({}, {}), rng) is None
