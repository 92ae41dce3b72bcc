"""The NASNet space of Zoph et al. 2018."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
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
    # methods B8 [C]: five blocks of two of k states and 8 operations, addition only: 5.566e14.
    amoeba = NASNet(operations=NASNet().operations[:8], combinations=("add",))
    assert f"{amoeba.size**0.5:.4g}" == "5.566e+14"
    assert f"{amoeba.size:.3g}" == "3.1e+29"


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
        ({"operations": ("conv_2",)}, "unknown nasnet operation 'conv_2'; did you mean 'conv_"),
        ({"operations": ()}, "combinations are"),
        ({"combinations": ("multiply",)}, "combinations are 'add' and 'concat'"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        NASNet(**arguments)
