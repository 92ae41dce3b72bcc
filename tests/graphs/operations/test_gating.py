import pytest
import torch

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def built(op, n):
    b = Builder()
    return build(b.graph(b.add("op", op, *(b.input(f"x{i}", (3,)) for i in range(n)))))


def test_mean_and_interpolation():
    x, y, gate = torch.rand(3, 2, 3)
    assert torch.allclose(built(o.Mean(), 3)(x, y, gate), torch.stack([x, y, gate]).mean(0), atol=1e-6)
    assert torch.allclose(built(o.Interpolate(), 3)(x, y, gate), x + gate * (y - x), atol=1e-6)


def test_a_highway_moves_its_last_input_by_a_gate():
    network = built(o.Highway("relu"), 2)
    x, s = torch.randn(2, 4, 3)
    u, v = network.op.linear(torch.cat([x, s], 1)).chunk(2, 1)
    assert torch.allclose(network(x, s), s + torch.sigmoid(u) * (torch.relu(v) - s), atol=1e-6)
    assert o.Highway("identity").params((3,)) == 18


def test_wrong_inputs_are_refused():
    with pytest.raises(ShapeError, match="inputs of one shape"):
        o.Mean().shape((2,), (3,))
    with pytest.raises(ShapeError, match="three inputs of one shape"):
        o.Interpolate().symbol((2,), (2,))
    with pytest.raises(ShapeError, match=r"inputs \(features,\)"):
        o.Highway().shape((1, 8, 8))
    with pytest.raises(UsageError, match="unknown activation 'softsign'"):
        o.activated("softsign")
