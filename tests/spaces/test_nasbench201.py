"""The space of NAS-Bench-201, against the published figures and the benchmark's table."""

import numpy as np
import pytest

from nasturtium.benchmarking import table
from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Architecture, NASBench201
from nasturtium.testing import Shapes, check_space

SPACE = NASBench201()
CELLS = [SPACE.at(index) for index in range(15_625)]
NAMES = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def n_distinct(values):
    return len(set(values))


def test_there_are_15_625_cells_and_each_has_one_index():
    assert SPACE.size == 15_625 == n_distinct(CELLS)
    assert [SPACE.index(cell) for cell in CELLS] == list(range(15_625))
    assert set(SPACE) == set(CELLS)


def test_the_index_is_the_benchmarks_own():
    ops = [[NAMES.index(operation) for operation in cell.values()] for cell in CELLS]
    assert (table("nasbench201")["ops"] == ops).all()


def test_the_text_is_the_benchmarks_own():
    # methods A8 [V]: cells 11 and 284, and the best one of CIFAR-10.
    known = {
        11: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
        284: "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|",
        13714: "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
    }
    for index, text in known.items():
        assert SPACE.text(SPACE.at(index)) == text
        assert SPACE.index(SPACE.parse(f" {text}\n")) == index


def test_json_is_read_too_and_written_where_hyper_parameters_are_searched():
    cell = CELLS[7]
    assert SPACE.parse(cell.text) == cell
    trained = SPACE.with_training(rate=NASBench201().root.blocks[0][1])
    a = trained.sample(np.random.default_rng(0))
    assert trained.parse(trained.text(a)) == a
    assert trained.index(a) == SPACE.index(Architecture({k: v for k, v in a.items() if k != "training.rate"}))


@pytest.mark.parametrize(
    "text",
    [
        "|none~0|+|none~0|none~1|",
        "|none~0|+|none~0|none~2|+|none~0|none~1|none~2|",
        "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "none",
    ],
)
def test_malformed_texts_are_refused(text):
    with pytest.raises(UsageError, match=r"is written \|op~0\|\+\|op~0\|op~1\||'edge_0_1' is one of"):
        SPACE.parse(text)


def test_published_numbers_of_distinct_cells():
    assert n_distinct(SPACE.isomorphism(cell, zeros=False) for cell in CELLS) == 12_751
    assert n_distinct(SPACE.isomorphism(cell) for cell in CELLS) == 6_466


def test_the_partition_is_the_benchmarks():
    pairs = [(SPACE.isomorphism(cell), int(i)) for cell, i in zip(CELLS, table("nasbench201")["iso_id"], strict=True)]
    assert n_distinct(pairs) == n_distinct(name for name, _ in pairs) == n_distinct(i for _, i in pairs) == 6_466


@pytest.mark.parametrize("indices", [range(0, 15_625, 50), pytest.param(range(15_625), marks=pytest.mark.slow)])
@pytest.mark.parametrize(("data", "n_classes"), [("c10", 10), ("c100", 100)])
def test_costs_are_the_tables(indices, data, n_classes):
    space = SPACE.on(Shapes((3, 32, 32), n_classes))
    cells = table("nasbench201")
    for index in indices:
        graph = space.graph(CELLS[index])
        assert graph.params == cells[f"{data}_params"][index]
        # The benchmark counts the classifier's biases as multiply-accumulates, which they are not.
        assert graph.flops == cells[f"{data}_flops"][index] - n_classes


def test_parameters_and_layers_of_the_module_are_the_benchmarks():
    for index, params in ((0, 129_306), (11, 802_426), (284, 101_306)):
        module = build(SPACE.graph(CELLS[index]))
        assert sum(p.numel() for p in module.parameters()) == params


def test_imagenet16_has_the_published_costs():
    # methods A8 [V]: 16x16 pixels, 120 classes; multiply-accumulates with the classifier's biases.
    graph = SPACE.on(Shapes((3, 16, 16), 120)).graph(CELLS[284])
    assert (graph.params, graph.flops + 120) == (108_456, 2_936_440)


def test_cells_and_filters_transfer():
    small = NASBench201(cells=1, filters=4).on(Shapes((1, 8, 8)))
    assert small.graph(CELLS[3]).shapes["cell_2_0"] == (16, 2, 2)
    assert SPACE.graph(CELLS[3]).shapes["cell_2_4"] == (64, 8, 8)


def test_images_with_odd_sides_are_halved_upward():
    graph = NASBench201(cells=1, filters=4).on(Shapes((1, 7, 10))).graph(CELLS[11])
    assert graph.shapes["cell_1_0"] == (8, 4, 5)
    assert graph.shapes["cell_2_0"] == (16, 2, 3)


def test_a_limited_space_obeys_the_laws():
    check_space(NASBench201.small().on(Shapes()).limited(params=7_000))


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="cells and filters are at least 1"):
        NASBench201(cells=0)
    with pytest.raises(UsageError, match=r"an index is in \[0, 15625\), got 15625"):
        SPACE.at(15_625)
    with pytest.raises(UsageError, match="only what is asked"):
        SPACE.index(Architecture({**CELLS[0], "more": 1}))
