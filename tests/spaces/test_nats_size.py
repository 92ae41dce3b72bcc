"""The size search space of NATS-Bench, against the published costs."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import NASBench201, NATSSize
from nasturtium.testing import Shapes

SPACE = NATSSize()


def test_there_are_32_768_sizes():
    assert SPACE.size == 8**5 == 32_768


# methods A9 [V]: as in the files of the NATS-Bench repository; it counts the classifier's biases as
# multiply-accumulates, too.
@pytest.mark.parametrize(
    ("text", "params", "flops"),
    [
        ("8:8:8:8:8", 11_714, 4_481_114),
        ("8:8:8:16:32", 49_202, 6_840_650),
        ("8:8:40:32:40", 144_834, 21_827_994),
        ("64:64:64:64:64", 713_674, None),
    ],
)
def test_published_costs(text, params, flops):
    graph = SPACE.graph(SPACE.parse(text))
    assert graph.params == params
    if flops is not None:
        assert graph.flops + 10 == flops


def test_a_module_has_the_graphs_parameters():
    graph = SPACE.graph(SPACE.parse("8:16:24:8:8"))
    assert sum(p.numel() for p in build(graph).parameters()) == graph.params


def test_where_it_keeps_the_channels_the_cell_is_the_9930th_of_the_topology_space():
    topology = NASBench201()
    fixed = topology.graph(topology.at(9930)).by_name["cell_0_0"].op
    sized = SPACE.graph(SPACE.parse("16:16:16:16:16")).by_name["cell_0"].op
    of_input = {node.name for node in sized.nodes if any(edge.source == "node_0" for edge in node.edges)}
    assert of_input == {"conv_0_1", "conv_0_2", "skip_0_3"}
    assert sized.infer((16, 8, 8)).params == fixed.infer((16, 8, 8)).params
    assert sized.infer((16, 8, 8)).flops == fixed.infer((16, 8, 8)).flops


def test_widths_are_those_of_the_parts():
    shapes = SPACE.on(Shapes((1, 7, 9))).graph(SPACE.parse("8:16:24:32:40")).shapes
    assert [shapes[name] for name in ("cell_0", "reduction_1", "cell_1", "reduction_2", "cell_2")] == [
        (8, 7, 9),
        (16, 4, 5),
        (24, 4, 5),
        (32, 2, 3),
        (40, 2, 3),
    ]


def test_texts():
    a = SPACE.parse(" 8:16:24:32:40 ")
    assert SPACE.text(a) == "8:16:24:32:40"
    assert SPACE.parse(a.text) == a
    trained = SPACE.with_training(rate=SPACE.root.blocks[0][1])
    assert trained.parse(trained.text(next(iter(trained)))) == next(iter(trained))


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:x", "8 8 8 8 8", "8:8:8:8:9"])
def test_malformed_texts_are_refused(text):
    with pytest.raises(UsageError, match=r"a size is written|'width_5' is one of"):
        SPACE.parse(text)


@pytest.mark.parametrize("widths", [(), (0, 8)])
def test_impossible_widths_are_refused(widths):
    with pytest.raises(UsageError, match="widths are at least one, and positive"):
        NATSSize(widths=widths)
