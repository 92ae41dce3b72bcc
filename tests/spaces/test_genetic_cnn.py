"""The space of Genetic CNN (Xie & Yuille 2017)."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import GeneticCNNSpace
from nasturtium.testing import Shapes, check_space

MNIST = GeneticCNNSpace(nodes=(3, 5), filters=(20, 50), pool=2, hidden=500).on(Shapes((1, 28, 28)))
ONE = GeneticCNNSpace(nodes=(4,), filters=(4,))


def stage(text):
    """Return the only stage of a network of four nodes."""
    return ONE.graph(ONE.parse(text)).by_name["stage_0"].op


def sources(text):
    return {node.name: [edge.source for edge in node.edges] for node in stage(text).nodes if node.edges}


def test_published_sizes():
    assert MNIST.size == 2**13 == 8_192
    assert GeneticCNNSpace().size == 2**19 == 524_288


def test_the_papers_example_of_four_nodes():
    # Figure 1: 1-00-111. Node 3 has no predecessor but node 4 as successor, which sums 1, 2 and 3.
    assert sources("1-00-111") == {
        "input": ["x"],
        "node_1": ["input"],
        "node_2": ["node_1"],
        "node_3": ["input"],
        "sum_4": ["node_1", "node_2", "node_3"],
        "node_4": ["sum_4"],
        "output": ["node_4"],
    }


def test_nodes_that_feed_none_are_summed_and_isolated_ones_left_out():
    # 2 and 3 read 1 and feed none; 4 has no edge.
    assert sources("1-10-000") == {
        "input": ["x"],
        "node_1": ["input"],
        "node_2": ["node_1"],
        "node_3": ["node_1"],
        "sum": ["node_2", "node_3"],
        "output": ["sum"],
    }


def test_without_edges_there_is_one_convolution():
    assert sources("0-00-000") == {"input": ["x"]}


def test_parameters_of_the_base_network():
    # C5@20-MP2-C5@50-MP2-FC500-FC10 on MNIST, with normalization instead of biases.
    graph = MNIST.graph(MNIST.parse("0-00 0-00-000-0000"))
    convolutions = 20 * 25 + 2 * 20 + 20 * 50 * 25 + 2 * 50
    assert graph.params == convolutions + (50 * 7 * 7 * 500 + 500) + (500 * 10 + 10)


def test_each_node_costs_one_convolution():
    base, chain = (ONE.graph(ONE.parse(text)).params for text in ("0-00-000", "1-01-001"))
    assert chain - base == 5 * (4 * 4 * 9 + 2 * 4)


def test_isomorphic_stages_have_one_key():
    # A chain of two, whichever nodes of the four it takes.
    chains = {ONE.graph(ONE.parse(text)).key for text in ("1-00-000", "0-10-000", "0-01-000", "0-00-001")}
    assert len(chains) == 1
    assert ONE.graph(ONE.parse("1-01-000")).key not in chains


def test_text_and_decisions():
    a = MNIST.parse("1-00 0-01-100-0110")
    assert MNIST.text(a) == "1-00 0-01-100-0110"
    assert [a[f"stage_1.edge_{i}_5"] for i in (1, 2, 3, 4)] == [0, 1, 1, 0]
    assert MNIST.parse(a.text) == a
    trained = ONE.with_training(rate=ONE.root.blocks[0][1])
    first = next(iter(trained))
    assert trained.parse(trained.text(first)) == first


@pytest.mark.parametrize("text", ["1-00", "1-00 0-01-100-01102", "1-00 0-01-100-0112", "one"])
def test_malformed_texts_are_refused(text):
    with pytest.raises(UsageError, match="a network is written like 0-00 0-00-000-0000"):
        MNIST.parse(text)


def test_the_papers_spaces_obey_the_laws():
    check_space(GeneticCNNSpace(nodes=(1, 5), filters=(2, 3), pool=2, hidden=4).on(Shapes()))


def test_widths_transfer():
    a = GeneticCNNSpace().parse("1-01 0-01-100 0-11-101-0001")
    small = GeneticCNNSpace().graph(a).params
    assert GeneticCNNSpace().scaled(filters=(64, 128, 256), hidden=1024).graph(a).params > 30 * small


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nodes": (3,)}, "each stage has nodes and filters"),
        ({"nodes": (), "filters": ()}, "each stage has nodes and filters"),
        ({"nodes": 3}, r"got nodes=3 and filters=\(8, 16, 32\); give tuples such as \(3, 4\)"),
        ({"hidden": 0}, r"are at least 1, got nodes=\(3, 4, 5\), filters=\(8, 16, 32\), pool=3, hidden=0; raise them"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        GeneticCNNSpace(**arguments)
