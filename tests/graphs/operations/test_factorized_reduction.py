import pytest
import torch

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def network_of(op, shape):
    b = Builder()
    return build(b.graph(b.add("node", op, b.input("image", shape)))).eval()


def test_it_halves_odd_and_even_sides():
    assert o.FactorizedReduction(8).shape((4, 9, 8)) == (8, 5, 4)


def test_an_odd_number_of_channels_is_shared():
    op = o.FactorizedReduction(7)
    assert op.shape((4, 8, 8)) == (7, 4, 4)
    assert op.params((4, 8, 8)) == 4 * 7 + 2 * 7


def test_a_shift_brings_the_next_pixel_and_zeros_at_the_border():
    network = network_of(o.Shift(), (1, 2, 3))
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert network(image).tolist() == [[[[4.0, 5.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_every_pixel_of_the_diagonal_is_read():
    network = network_of(o.FactorizedReduction(2), (1, 4, 4))
    for parameter in network.parameters():
        torch.nn.init.ones_(parameter)
    for pixel in range(4):
        image = torch.zeros(1, 1, 4, 4)
        image[0, 0, pixel, pixel] = 1.0
        changed = network(image) - network(torch.zeros_like(image))
        assert changed.count_nonzero() == 1


def test_one_channel_has_no_halves():
    with pytest.raises(UsageError, match="at least 2 channels, got out=1"):
        o.FactorizedReduction(1)
    with pytest.raises(ShapeError, match="at least 2 channels"):
        o.FactorizedReduction().shape((1, 4, 4))
