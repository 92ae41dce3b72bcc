"""The NASNet space of Zoph et al. 2018."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import operations as o
from nasturtium.spaces import Architecture, NASNet
from nasturtium.testing import Shapes, check_space


def cell(kind, *blocks):
    keys = ("left", "right", "left_op", "right_op", "combine")
    return {f"{kind}.{i}.{key}": v for i, block in enumerate(blocks) for key, v in zip(keys, block, strict=True)}


def built(normal, reduction, **arguments):
    space = NASNet(blocks=len(normal), **arguments).on(Shapes((1, 16, 16)))
    return space.graph(Architecture({**cell("normal", *normal), **cell("reduction", *reduction)}))


PLAIN = (0, 1, "identity", "identity", "add")


def test_size_of_the_papers_cells():
    # prod k**2 * 13**2 * 2 over k = 2..6 states.
    assert f"{NASNet().size ** 0.5:.4g}" == "2.287e+18"
    assert f"{NASNet().size:.3g}" == "5.23e+36"


def test_a_block_has_five_decisions():
    a = NASNet(blocks=2).sample(np.random.default_rng(0))
    assert len(a) == 2 * 2 * 5
    assert list(a)[:5] == [f"normal.0.{k}" for k in ("left", "right", "left_op", "right_op", "combine")]


def test_cells_are_stacked_around_two_reductions():
    for n in (1, 2):
        graph = built([PLAIN], [PLAIN], cells=n)
        kinds = [node.name.split("_")[0] for node in graph.nodes if node.name.split("_")[0] in ("normal", "reduction")]
        assert kinds == (["normal"] * n + ["reduction"]) * 2 + ["normal"] * n


def test_a_reduction_halves_the_image_and_doubles_the_channels():
    graph = built([PLAIN], [PLAIN], filters=6)
    shapes = {name: shape for name, shape in graph.shapes.items() if name.startswith(("normal", "red"))}
    assert shapes == {
        "normal_0": (6, 16, 16),
        "reduction_1": (12, 8, 8),
        "normal_2": (12, 8, 8),
        "reduction_3": (24, 4, 4),
        "normal_4": (24, 4, 4),
    }


def test_a_cell_puts_out_the_states_that_nothing_took():
    used = [PLAIN, (2, 2, "identity", "identity", "add")]
    unused = [PLAIN, (0, 1, "identity", "identity", "add")]
    assert built(used, [PLAIN, PLAIN]).shapes["normal_0"][0] == 8
    assert built(unused, [PLAIN, PLAIN]).shapes["normal_0"][0] == 16


def test_a_cell_puts_out_an_input_that_nothing_took():
    one_input = (1, 1, "identity", "identity", "add")
    graph = built([PLAIN], [one_input])
    assert graph.by_name["reduction_1"].op.by_name["halved_0"].op == o.FactorizedReduction(16)
    assert graph.shapes["reduction_1"] == (32, 8, 8)
    assert "halved_0" not in built([PLAIN], [PLAIN]).by_name["reduction_1"].op.by_name


def test_every_operation_works_in_both_cells():
    for name in NASNet().operations:
        block = (0, 1, name, name, "concat")
        inner = (2, 1, name, name, "add")
        graph = built([block, inner], [block, inner])
        assert graph.infer().outputs == ((10,),), name


def test_an_input_of_a_reduction_is_read_with_stride_2_and_an_inner_state_with_1():
    graph = built([PLAIN, PLAIN], [(0, 1, "max_pool_3", "conv_3", "add"), (2, 0, "conv_3", "conv_3", "add")])
    inner = graph.by_name["reduction_1"].op
    strides = {node.name: getattr(node.op, "stride", None) for node in inner.nodes}
    assert strides["left_0_max_pool_3_halving"] == strides["right_0_conv_3_halving"] == 2
    assert strides["left_1_conv_3"] == 1
    assert strides["right_1_conv_3_halving"] == 2


def test_equal_cells_of_a_stage_are_stored_once():
    graph = built([PLAIN], [PLAIN], cells=3)
    first, second = graph.by_name["normal_0"].op, graph.by_name["normal_1"].op
    assert first is second


def test_the_order_of_a_sums_sides_does_not_matter_to_the_key_but_that_of_a_concatenation_does():
    def key(first, second, combine):
        block = (0, 1, first, second, combine)
        mirrored = (1, 0, second, first, combine)
        return built([block], [PLAIN]).key == built([mirrored], [PLAIN]).key

    assert key("conv_3", "max_pool_3", "add")
    assert not key("conv_3", "max_pool_3", "concat")


def test_cells_and_filters_transfer():
    space = NASNet(cells=1, filters=4, blocks=2)
    a = space.sample(np.random.default_rng(0))
    larger = NASNet(cells=3, filters=16, blocks=2).on(Shapes((3, 32, 32)))
    assert a in larger
    assert larger.graph(a).params > 4 * space.on(Shapes((3, 32, 32))).graph(a).params


NASNET_A = {
    "normal": [
        ("sep_conv_5", 1), ("sep_conv_3", 0), ("sep_conv_5", 0), ("sep_conv_3", 0), ("avg_pool_3", 1),
        ("identity", 0), ("avg_pool_3", 0), ("avg_pool_3", 0), ("sep_conv_3", 1), ("identity", 1),
    ],
    "reduction": [
        ("sep_conv_5", 1), ("sep_conv_7", 0), ("max_pool_3", 1), ("sep_conv_7", 0), ("avg_pool_3", 1),
        ("sep_conv_5", 0), ("identity", 3), ("avg_pool_3", 2), ("sep_conv_3", 2), ("max_pool_3", 1),
    ],
}  # fmt: skip
CIFAR10 = Shapes((3, 32, 32), 10)


def test_parameters_of_nasnet_a_in_the_network_of_darts():
    # The genotype in the authors' code of DARTS with 20 cells and 36 filters.
    space = NASNet(cells=6, filters=36).on(CIFAR10)
    assert space.graph(space.genotype(**NASNET_A)).params == 3_830_950


def test_nasnet_a_6_at_768():
    # Zoph et al. 2018, table 1: 3.3 M parameters; 768 filters in the penultimate layer.
    arguments = {"normal_output": (0, 2, 3, 4, 5, 6), "reduction_output": (3, 4, 5, 6)}
    space = NASNet(cells=6, filters=32, **arguments).on(CIFAR10)
    graph = space.graph(space.genotype(**NASNET_A))
    assert graph.shapes["normal_19"][0] == 768
    assert graph.params == pytest.approx(3.3e6, rel=0.05)


def test_a_genotype_fits_the_blocks_and_the_space():
    with pytest.raises(UsageError, match=r"a cell of 4 blocks has 8 .* pairs, got 10"):
        NASNet(blocks=4).genotype(**NASNET_A)
    with pytest.raises(UsageError, match=r"'normal.0.left_op' is one of .* got 'sep_conv_5'"):
        NASNet(operations=("identity", "sep_conv_3")).genotype(**NASNET_A)


@pytest.mark.parametrize(
    "space",
    [
        NASNet(filters=2, blocks=1, combinations=("concat",)),
        NASNet(filters=2, blocks=3, operations=("identity", "sep_conv_3"), combinations=("add",)),
        NASNet(filters=2, blocks=1).limited(params=4_000),
    ],
    ids=["concat", "two operations", "limited"],
)
def test_smaller_spaces_obey_the_laws(space):
    check_space(space.on(Shapes()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cells": 0}, "cells, filters and blocks are at least 1"),
        ({"operations": ("conv_2",)}, "unknown cell operation 'conv_2'; did you mean 'conv_"),
        ({"operations": ()}, "a cell has operations to choose from, got none"),
        ({"normal_output": (2, 9)}, "an output is some of the states 0 to 6"),
        ({"combinations": ("multiply",)}, "combinations are 'add' and 'concat'"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        NASNet(**arguments)
