"""``space_from``: an existing network becomes the middle of a space."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import nasturtium as nas
from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.testing import Shapes, check_graph, check_space


class Block(nn.Module):
    """A residual block of He et al. 2016."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.around = nn.Identity() if stride == 1 else nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + self.around(x))


def resnet(n_blocks=2, width=8):
    """Return a small ResNet for images of one channel, ten classes."""
    stem = [nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    first = [Block(width, width, 1) for _ in range(n_blocks)]
    second = [Block(width, 2 * width, 2), *(Block(2 * width, 2 * width, 1) for _ in range(n_blocks - 1))]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10)]
    return nn.Sequential(*stem, *first, *second, *head)


SPACE = nas.space_from(resnet(), (1, 8, 8))


def test_the_original_is_a_member_and_the_same_function():
    module = resnet()
    graph = SPACE.graph(SPACE.original)
    assert SPACE.original in SPACE
    assert graph.params == sum(p.numel() for p in module.parameters())
    network = build(graph)
    weights = {name.replace(".", "_").lstrip("_"): value for name, value in module.state_dict().items()}
    network.load_state_dict({name: weights[name.replace(".", "_").lstrip("_")] for name in network.state_dict()})
    x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.eval()(x), module.eval()(x))


def test_what_may_change_around_a_resnet():
    widths = [path for path in SPACE.columns if path.startswith("width.")]
    depths = {path: SPACE.original[path] for path in SPACE.columns if path.startswith("depth.")}
    # The stem and the first stage share a stream, the second stage another, and each block has an
    # inner width of its own: four blocks, and one copy in each of the two runs.
    assert len(widths) == 2 + 4 + 2
    assert list(depths.values()) == [2, 1]
    assert len([path for path in SPACE.columns if path.startswith("kernel.")]) == 1 + 2 * 6
    with_kernels, run, last = (3 * 3) ** 1, 3 * 3 * 3, 3 * 3 * 3
    stem = 3 * 3
    first = run + run**2 + run**3
    second = 3 * 3 * with_kernels * (1 + last + last**2)
    assert SPACE.size == stem * first * second


def test_the_space_obeys_the_laws():
    check_space(SPACE)


def test_members_are_networks_that_run():
    rng = np.random.default_rng(0)
    params = set()
    for _ in range(20):
        graph = SPACE.graph(SPACE.sample(rng))
        network = build(graph)
        assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
        assert sum(p.numel() for p in network.parameters()) == graph.params
        params.add(graph.params)
    check_graph(graph)
    assert min(params) < SPACE.graph(SPACE.original).params < max(params)


def test_the_task_sets_the_ends():
    bound = SPACE.on(Shapes((3, 12, 12), 7))
    assert bound.graph(bound.original).infer().outputs == ((7,),)


def test_a_batch_tells_the_shape_as_well():
    assert nas.space_from(resnet(), torch.zeros(5, 1, 8, 8)) == SPACE


def test_a_single_choice_is_the_network_alone():
    alone = nas.space_from(resnet(), (1, 8, 8), widths=[1.0], depth=0, kernels=[0])
    assert list(alone) == [alone.original]
    assert alone.graph(alone.original).params == SPACE.graph(SPACE.original).params


def test_grouped_and_unknown_layers_keep_widths_that_fit():
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1, groups=4), nn.GroupNorm(3, 12)]
    head = [nn.Conv2d(12, 8, 1), nn.Hardswish(), nn.Flatten(), nn.Linear(8 * 64, 10)]
    space = nas.space_from(nn.Sequential(*layers, *head), (1, 8, 8), widths=(0.3, 1.0, 1.6))
    rng = np.random.default_rng(0)
    widths = [tuple(space.sample(rng).get(f"width._{i}") for i in (0, 1, 3)) for _ in range(50)]
    assert {first for first, *_ in widths} == {4, 8, 12}
    assert {second for _, second, _ in widths} == {None}
    assert {third for *_, third in widths} == {2, 8, 13}
    check_space(space)


def test_a_perceptron_has_widths_and_depths():
    layers = [nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 10)]
    space = nas.space_from(nn.Sequential(*layers), (5,), depth=2)
    assert space.size == 3 * 4
    for a in space:
        assert space.graph(a).infer().outputs == ((10,),)


def test_a_network_without_a_last_layer_is_refused():
    with pytest.raises(UsageError, match="a network that becomes a space ends in a linear layer or a convolution"):
        nas.space_from(nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten()), (1, 8, 8))


@pytest.mark.parametrize(
    "arguments", [{"widths": (0.5, 2.0)}, {"widths": (0.0, 1.0)}, {"depth": -1}, {"kernels": (2,)}, {"kernels": (0, 1)}]
)
def test_impossible_choices_are_refused(arguments):
    with pytest.raises(UsageError, match="widths are positive and hold 1, depth is at least 0"):
        nas.space_from(resnet(), (1, 8, 8), **arguments)
