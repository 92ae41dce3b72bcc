"""Operations that make images fit each other."""

import pytest
import torch
from torch.nn import functional

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def applied(operation, *images):
    """Return the value of an operation without weights."""
    b = Builder()
    wires = [b.input(f"x{i}", tuple(image.shape[1:])) for i, image in enumerate(images)]
    return build(b.graph(b.add("result", operation, *wires)))(*images)


def random(channels, height, width):
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(channels * height))


@pytest.mark.parametrize(("out", "kept"), [(2, 2), (3, 3), (5, 3)])
def test_channels_are_cut_or_padded_with_zeros(out, kept):
    x = random(3, 4, 4)
    y = applied(o.FitChannels(out), x)
    assert y.shape == (2, out, 4, 4)
    assert torch.equal(y[:, :kept], x[:, :kept])
    assert torch.equal(y[:, kept:], torch.zeros(2, out - kept, 4, 4))


@pytest.mark.parametrize("sides", [(2, 2), (4, 4), (8, 5)])
def test_resizing_takes_the_nearest_pixel(sides):
    x = random(3, 4, 4)
    rows, columns = ([int(i * 4 / side) for i in range(side)] for side in sides)
    assert torch.equal(applied(o.Resize(*sides), x), x[:, :, rows][:, :, :, columns])


def test_halving_stops_at_one_pixel():
    x = random(1, 5, 4)
    assert torch.equal(applied(o.Halve("max"), x), functional.max_pool2d(x, 2))
    assert torch.equal(applied(o.Halve("mean"), x), functional.avg_pool2d(x, 2))
    flat = random(1, 1, 4)
    assert torch.equal(applied(o.Halve("max"), flat), flat)


def test_a_pooled_sum_halves_the_larger_and_pads_the_narrower():
    large, small = random(2, 9, 9), random(3, 2, 2)
    pooled = functional.max_pool2d(functional.max_pool2d(large, 2), 2)
    expected = small.clone()
    expected[:, :2] += pooled
    assert torch.equal(applied(o.PooledSum(), large, small), expected)
    assert torch.equal(applied(o.PooledSum(), small, large), expected)


def test_a_pooled_concatenation_keeps_the_order():
    large, small = random(2, 4, 4), random(3, 2, 2)
    expected = torch.cat([small, functional.max_pool2d(large, 2)], dim=1)
    assert torch.equal(applied(o.PooledConcat(), small, large), expected)


def test_a_sum_to_the_first_has_its_shape():
    first, second = random(3, 4, 4), random(5, 2, 2)
    expected = first + functional.interpolate(second, size=(4, 4))[:, :3]
    assert torch.equal(applied(o.SumToFirst(), first, second), expected)
    assert applied(o.SumToFirst(), second, first).shape == second.shape


@pytest.mark.parametrize(("out", "channels"), [(4, 4), (2, 4)])
def test_a_padded_residual_keeps_the_greater_number_of_channels(out, channels):
    x = random(4, 3, 3)
    b = Builder()
    graph = b.graph(b.add("block", o.PaddedResidual(out, 3), b.input("x", (4, 3, 3))))
    assert graph.shapes["block"] == (channels, 3, 3)
    assert graph.params == 4 * out * 9 + out * out * 9 + 4 * out
    network = build(graph).eval()
    torch.nn.init.zeros_(network.get_parameter("block.norm.weight"))
    assert torch.equal(network(x), torch.relu(x))


def test_images_whose_sides_are_no_halves_are_refused():
    with pytest.raises(ShapeError, match="halves of each other"):
        o.PooledSum().shape((1, 9, 9), (1, 3, 3))
    with pytest.raises(ShapeError, match="images"):
        o.SumToFirst().shape((4,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: o.FitChannels(0), "at least 1 channel"),
        (lambda: o.Resize(0, 3), "at least 1 x 1"),
        (lambda: o.Halve("median"), "'max' or 'mean'"),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
