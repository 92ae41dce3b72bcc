"""Stanley & Miikkulainen 2002, sections 3.1 to 3.3: crossing, mutating, telling genomes apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.strategies import Genes
from nasturtium.strategies._genes import LARGE, Alignment
from nasturtium.testing._toys import table

SPACE = Neurons(input_shape=(3,), n_outputs=2, is_recurrent=True)
GENES = Genes(add_neuron=0.3, add_connection=0.4)


def evolved(seed, n=15):
    rng = np.random.default_rng(seed)
    genome = Genome.of(SPACE.start(np.random.default_rng(0)))
    for _ in range(n):
        genome = GENES.mutated(genome, SPACE, rng)
    return genome


def numbered(*genomes):
    names = {}
    for genome in genomes:
        for name in genome.genes:
            names.setdefault(name, len(names))
    return names


def distance(a, b, numbers=None, excess=1.0, disjoint=1.0, weights=0.4):
    return Alignment([a], numbers or numbered(a, b)).distances(b, excess, disjoint, weights)[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_child_has_the_fitter_parents_topology_and_weights_of_both(i, j):
    fitter, other = evolved(i), evolved(j)
    rng = np.random.default_rng(i)
    child = Genes(average=0.0).crossed(fitter, other, rng)
    assert (child.genes.keys(), child.neurons) == (fitter.genes.keys(), fitter.neurons)
    for name, gene in child.genes.items():
        donors = [genome.genes[name] for genome in (fitter, other) if name in genome.genes]
        assert gene.weight in [donor.weight for donor in donors]
        assert gene.is_enabled or not all(donor.is_enabled for donor in donors)
    child.order(SPACE.targets)
    mean = Genes(average=1.0).crossed(fitter, other, rng)
    for name in fitter.genes.keys() & other.genes.keys():
        assert mean.genes[name].weight == (fitter.genes[name].weight + other.genes[name].weight) / 2


def test_crossing_with_itself_is_the_identity_where_all_is_enabled():
    genome = Genome.of(SPACE.start(np.random.default_rng(0)))
    assert GENES.crossed(genome, genome, np.random.default_rng(1)) == genome


def test_a_gene_disabled_in_either_parent_stays_so_in_three_of_four():
    on, off = (Genome({}, {("x0", "y0", 0): Gene(1.0, is_on)}) for is_on in (True, False))
    rng = np.random.default_rng(0)
    children = [GENES.crossed(a, b, rng) for a, b in ((on, off), (off, on), (off, off)) for _ in range(2_000)]
    share = np.mean([child.genes["x0", "y0", 0].is_enabled for child in children])
    assert share == pytest.approx(0.25, abs=0.02)


def test_mutations_come_one_at_a_time_at_their_rates():
    rng = np.random.default_rng(0)
    genome = Genome.of(SPACE.start(rng))
    kinds = {"neuron": 0, "connection": 0, "weights": 0, "nothing": 0}
    for _ in range(4_000):
        child = Genes().mutated(genome, SPACE, rng)
        kind = "neuron" if child.neurons else "connection" if len(child.genes) > len(genome.genes) else "weights"
        kinds["nothing" if child == genome else kind] += 1
    shares = {kind: n / 4_000 for kind, n in kinds.items()}
    assert shares["neuron"] == pytest.approx(0.03, abs=0.01)
    assert shares["weights"] == pytest.approx(0.97 * 0.95 * 0.8, abs=0.02)
    assert shares["connection"] == pytest.approx(0.97 * 0.05, abs=0.01)


def test_weights_are_changed_or_drawn_anew_within_the_cap():
    rng = np.random.default_rng(0)
    genome = Genome({}, {("x0", "y0", 0): Gene(7.0)})
    genes = Genes(add_neuron=0, add_connection=0, change_weights=1)
    weights = np.array([genes.mutated(genome, SPACE, rng).genes["x0", "y0", 0].weight for _ in range(4_000)])
    assert weights.max() == 8.0
    assert np.mean(weights < 4.5) == pytest.approx(0.1, abs=0.02)
    assert np.abs(weights[weights < 4.5]).max() <= 2.5
    assert np.mean(weights == 7.0) == pytest.approx(0.05, abs=0.02)


def test_the_young_genes_of_a_mature_genome_are_spared_where_weights_change_mildly():
    rng = np.random.default_rng(0)
    genome = Genome(
        {"h": "steep-sigmoid"}, {(f"x{i}", "y0", 0): Gene(7.0) for i in range(9)} | {("h", "y0", 0): Gene(7.0)}
    )
    genes = Genes(add_neuron=0, add_connection=0, change_weights=1)
    drawn = [list(genes.mutated(genome, SPACE, rng).genes.values()) for _ in range(4_000)]
    weights = np.array([[gene.weight for gene in row] for row in drawn])
    assert np.mean(weights[:, :9] == 7.0) == pytest.approx(0.5 * 0.1, abs=0.01)
    assert np.mean(weights[:, 9] == 7.0) == pytest.approx(0.5 * 0.1 + 0.5 * 0.3, abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_distance_is_symmetric_and_zero_to_itself(i, j):
    a, b = evolved(i), evolved(j)
    numbers = numbered(a, b)
    for excess in (1.0, 2.0):
        assert distance(a, a, numbers, excess) == 0
        assert distance(a, b, numbers, excess) == pytest.approx(distance(b, a, numbers, excess))


def test_the_distance_by_hand():
    first, second, third = (("x0", "y0", 0), ("x1", "y0", 0), ("x2", "y0", 0))
    a = Genome({}, {first: Gene(1.0), second: Gene(1.0)})
    b = Genome({}, {first: Gene(3.0, False), third: Gene(1.0)})
    numbers = {first: 0, second: 1, third: 2}
    # One disjoint gene, one excess gene, and weights in common that are 2 apart.
    assert distance(a, b, numbers, excess=5.0, disjoint=3.0, weights=0.4) == pytest.approx(5 + 3 + 0.8)
    many = {(f"x{i}", "y0", 0): Gene(0.0) for i in range(LARGE)}
    assert distance(Genome({}, many), Genome({}, {}), disjoint=3.0, excess=3.0) == pytest.approx(3.0)


def test_the_first_population_is_minimal_unless_limits_forbid_it():
    rng = np.random.default_rng(0)
    assert SPACE.graph(Genes().founder(SPACE, rng)).params == 8
    limited = SPACE.limited(params=5)
    assert limited.graph(Genes().founder(limited, rng)).params <= 5


def test_wrong_rates_and_spaces_are_refused():
    with pytest.raises(UsageError, match="probability"):
        Genes(add_neuron=1.5)
    with pytest.raises(UsageError, match="positive"):
        Genes(power=0.0)
    with pytest.raises(RequirementError, match="needs a space with Genomes"):
        Genes().founder(table().space, np.random.default_rng(0))
