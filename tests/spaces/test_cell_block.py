"""Cells of the user's own operations."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import branch, cell, chain, choice, integer, op, optional, repeat
from nasturtium.spaces._blocks import Fitting
from nasturtium.testing import Shapes, check_space

OPERATIONS = (op("conv"), op("sep_conv", kernel=choice(3, 5)), op("max_pool"), op("identity"))
HEAD = (op("global_pool"), op("linear"))


def test_size_is_that_of_sources_and_operations():
    # A node i has two inputs, each with one of i + 1 states and five operations.
    assert cell(*OPERATIONS, nodes=3).count() == (1 * 2 * 3) ** 2 * 5**6
    assert cell(*OPERATIONS, nodes=2, inputs=1).count() == 2 * 5**2


def test_every_node_reads_what_was_chosen():
    space = chain(op("conv", out=4), cell(op("conv"), op("identity"), nodes=2, inputs=1), *HEAD).on(Shapes())
    for a in space:
        graph = space.graph(a)
        second = graph.by_name[f"{a['1.1.0.op']}_1_1_0_op"]
        assert second.edges[0].source == ("conv_0" if a["1.1.0.from"] == 0 else "node_1_0")
        assert graph.shapes["output_1"] == (8, 8, 8)


def test_the_output_may_be_a_sum():
    space = chain(op("conv", out=4), cell(op("conv"), nodes=3, output="add"), *HEAD).on(Shapes())
    assert space.graph(next(iter(space))).shapes["output_1"] == (4, 8, 8)


def test_operations_of_any_width_and_stride_fit():
    wild = cell(op("conv", out=choice(2, 6), stride=choice(1, 2)), op("max_pool", stride=2), op("identity"), nodes=2)
    check_space(chain(op("conv", out=4), wild, *HEAD).on(Shapes()))


def test_cells_nest_and_are_stacked():
    inner = cell(op("conv"), branch(op("identity"), op("sep_conv")), nodes=2, inputs=1, output="add")
    space = chain(op("conv", out=2), repeat(inner, at_least=1, at_most=3, tied=True), optional(inner), *HEAD)
    assert space.size == 3 * 8 * (1 + 8)
    check_space(space.on(Shapes()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nodes": 0}, "nodes and inputs are at least 1, got 0 and 2"),
        ({"inputs": 0}, "nodes and inputs are at least 1, got 4 and 0"),
        ({"merge": "mean"}, "a merge is 'add' or 'concat', got 'mean'"),
        ({"output": "mean"}, "a merge is 'add' or 'concat', got 'mean'"),
        ({"output": choice("add", "concat")}, "the merges of a cell are 'add' or 'concat', got a choice"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        cell(*OPERATIONS, **arguments)


@pytest.mark.parametrize(("operations", "message"), [((), "at least one option"), (("conv",), "a network is made of")])
def test_a_cell_needs_operations(operations, message):
    with pytest.raises(UsageError, match=message):
        cell(*operations)


def test_an_operation_that_can_not_fit_is_named():
    with pytest.raises(UsageError, match=r"every choice must fit, got 'conv' at '0\.0\.0\.op\.flatten-conv\.1'"):
        chain(cell(chain(op("flatten"), op("conv")), op("identity")), *HEAD).on(Shapes())


def test_looking_through_a_large_space_takes_no_longer_than_a_small_one_would():
    # 64 widths, cells of four nodes and up to eight copies: each shape is looked at once a block.
    stem, cells = op("conv", out=integer(1, 64)), repeat(cell(*OPERATIONS, nodes=4), at_most=8)
    fitting = Fitting(10)
    chain(stem, cells, *HEAD).root.shapes("", (3, 32, 32), fitting)
    assert len(fitting.known) < 2_000
