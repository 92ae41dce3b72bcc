import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Gene, Genome, Neurons
from nasturtium.spaces._genome import check_genome, split_name

SPACE = Neurons(input_shape=(2,), n_outputs=1, is_recurrent=True)
XOR = Genome(
    {"h": "steep-sigmoid"},
    {
        ("x0", "h", 0): Gene(4.0),
        ("x1", "h", 0): Gene(4.0),
        ("h", "y0", 0): Gene(-3.0, False),
        ("y0", "y0", 1): Gene(0.5),
    },
)


def test_equal_genomes_share_one_architecture_whatever_their_order():
    turned = Genome(XOR.neurons, dict(reversed(XOR.genes.items())))
    assert turned.architecture() == XOR.architecture()
    assert Genome.of(XOR.architecture()) == XOR
    assert SPACE.parse(turned.architecture().text) == XOR.architecture()


def test_a_genome_that_is_written_and_read_again_is_the_same_in_the_same_order():
    turned = Genome(XOR.neurons, dict(reversed(XOR.genes.items())))
    architecture = turned.architecture()
    kept = Genome.of(architecture)
    assert list(kept.genes) == sorted(XOR.genes)
    assert architecture.text  # which writes it
    assert Genome.of(architecture) == kept
    assert list(Genome.of(architecture).genes) == list(kept.genes)


def test_cycles_are_seen_through_disabled_connections_but_not_through_delayed_ones():
    assert XOR.closes_cycle("y0", "h")  # h -> y0 is disabled, and may be enabled again
    assert XOR.closes_cycle("h", "h")
    assert not XOR.closes_cycle("h", "y0")
    assert XOR.order(("y0",)) == ["h", "y0"]


def test_the_same_innovation_has_the_same_name_and_a_second_one_another():
    first = split_name(("x0", "y0", 0), {})
    assert first == split_name(("x0", "y0", 0), {"h": "tanh"})
    assert first != split_name(("x1", "y0", 0), {})
    assert split_name(("x0", "y0", 0), {first: "tanh"}) not in ("h", first)


@pytest.mark.parametrize(
    ("genes", "rule"),
    [
        ({("x9", "y0", 0): Gene(1.0)}, "comes from an input"),
        ({("x0", "x1", 0): Gene(1.0)}, "leads to a neuron"),
        ({("x0", "y0", 2): Gene(1.0)}, "leads to a neuron"),
        ({("x0", "y0", 0): Gene(float("nan"))}, "leads to a neuron"),
        ({("h", "y0", 0): Gene(1.0), ("y0", "h", 0): Gene(1.0)}, "no cycle"),
    ],
)
def test_what_is_no_network_is_refused(genes, rule):
    with pytest.raises(UsageError, match=rule):
        check_genome(Genome({"h": "tanh"}, genes), SPACE)


def test_malformed_data_is_no_genome():
    for data in ({"neurons": [["h", "tanh"], ["h", "tanh"]], "genes": []}, {"neurons": [], "genes": [1]}, {"a": 1}):
        with pytest.raises(UsageError, match="a genome has neurons and genes"):
            Genome.read(Architecture(data))
