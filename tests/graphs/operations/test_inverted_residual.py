"""The block of mobile networks."""

import pytest
import torch
from torch import nn

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def single(op, *shapes):
    b = Builder()
    return build(b.graph(b.add("node", op, *(b.input(f"x{i}", shape) for i, shape in enumerate(shapes)))))


def test_the_input_is_added_if_the_shape_stays():
    names = [node.name for node in o.InvertedResidual(8).opened((8, 6, 6)).nodes]
    assert names[-1] == "sum"
    for op in (o.InvertedResidual(8, stride=2), o.InvertedResidual(16)):
        assert "sum" not in [node.name for node in op.opened((8, 6, 6)).nodes]


def test_without_expansion_there_is_no_expanding_convolution():
    # Sandler et al. 2018, table 2, the first row: 32 -> 16 channels with t = 1.
    assert o.InvertedResidual(16, expansion=1).params((32, 8, 8)) == 32 * 9 + 64 + 32 * 16 + 32


def test_squeeze_and_excitation_is_that_of_1x1_convolutions():
    network = single(o.SqueezeExcite(), (64, 5, 5))
    reduce, expand = nn.Conv2d(64, 16, 1), nn.Conv2d(16, 64, 1)
    with torch.no_grad():
        for mine, theirs in ((reduce, "reduce"), (expand, "expand")):
            layer = network.get_submodule(f"node.{theirs}")
            mine.weight.copy_(layer.weight[:, :, None, None])
            mine.bias.copy_(layer.bias)
        x = torch.randn(2, 64, 5, 5)
        factors = nn.functional.hardsigmoid(expand(reduce(x.mean((2, 3), keepdim=True)).relu()))
        assert torch.allclose(network(x), x * factors, atol=1e-6)


def test_a_gate_takes_one_factor_a_channel():
    x, factors = torch.randn(2, 3, 4, 4), torch.randn(2, 3)
    assert torch.equal(single(o.Gate(), (3, 4, 4), (3,))(x, factors)[1, 2], x[1, 2] * factors[1, 2])
    with pytest.raises(ShapeError, match="a vector of its channels"):
        o.Gate().shape((3, 4, 4), (4,))


def test_wrong_arguments_are_refused():
    with pytest.raises(UsageError, match="an expansion is at least 1"):
        o.InvertedResidual(expansion=0)
    with pytest.raises(UsageError, match="a reduction is positive"):
        o.SqueezeExcite(0)


def test_without_a_width_the_inputs_is_kept():
    assert o.InvertedResidual(expansion=4).shape((8, 6, 6)) == (8, 6, 6)
    assert o.InvertedResidual(expansion=4, stride=2).shape((8, 6, 6)) == (8, 3, 3)
