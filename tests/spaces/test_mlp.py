"""Fully connected networks for tables."""

import json

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import operations
from nasturtium.spaces import MLP, load
from nasturtium.testing import Shapes

TABLE = Shapes((9,), 3)


def graphs(**arguments):
    space = MLP(**arguments).on(TABLE)
    return [space.graph(a) for a in space]


def test_size_by_hand():
    # A block: 5 widths, with or without normalization, 3 activations, none or 3 rates; plain or residual.
    block = 5 * 2 * 3 * 4 * 2
    assert MLP().size == sum(block**n for n in range(5))


def test_the_smallest_is_a_linear_model():
    assert min(graph.params for graph in graphs(depth=1)) == 9 * 3 + 3


def built(**decisions):
    block = {"width": 16, "norm": False, "activation": "relu", "dropout": 0.0, "residual": False, **decisions}
    space = MLP().on(TABLE)
    text = json.dumps({"blocks.n": 1, **{f"blocks.0.{name}": value for name, value in block.items()}})
    return space.graph(space.parse(text)).simplified()


def test_parameters_of_one_block_by_hand():
    plain = 9 * 16 + 16 + 16 * 3 + 3
    assert built().params == plain
    assert built(norm=True, dropout=0.3).params == plain + 2 * 16
    # The block's input of 9 features becomes 16 wide for the sum.
    assert built(residual=True).params == plain + 9 * 16 + 16


def test_a_block_has_the_parts_it_decided_for():
    assert list(built(norm=True, activation="tanh", dropout=0.1, residual=True).by_name) == [
        "features", "flat", "linear_0", "norm_0", "activation_0", "dropout_0", "sum_0", "head",
    ]  # fmt: skip
    assert built(norm=True, dropout=0.5).by_name["dropout_0"].op == operations.Dropout(0.5)


def test_images_are_flattened():
    space = load("mlp", widths=(8,)).on(Shapes((1, 8, 8)))
    graph = space.graph(space.sample(np.random.default_rng(0)))
    assert graph.infer().outputs == ((10,),)


@pytest.mark.parametrize("arguments", [{"depth": 0}, {"widths": ()}, {"widths": (0,)}, {"rates": ()}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="depth and widths are at least 1"):
        MLP(**arguments)
