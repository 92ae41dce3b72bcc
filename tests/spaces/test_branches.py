"""Chains with optional skips, and the residual and dense nets among them."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Architecture, Branches
from nasturtium.testing import Shapes

CIFAR = Shapes((3, 32, 32), 10)


def member(space, merge, has_skip, op="conv_3"):
    """Return the architecture with one operation and merge, and the skips i <- j for which ``has_skip(i, j)``."""
    values = {}
    for path in space.columns:
        layer, _, what = path.partition(".")
        kind, _, source = what.partition("_")
        values[path] = {"op": op, "merge": merge}.get(kind, bool(source) and has_skip(int(layer), int(source)))
    return Architecture(values)


def residual(space):
    """Every second g adds the block inputs: outputs 0, 2, 4, ... of the stem and of whole blocks."""
    return member(space, "add", lambda i, j: i % 2 == 1 and j % 2 == 0)


@pytest.mark.parametrize(("depth", "params"), [(20, 269_722), (56, 853_018)])
def test_residual_nets_are_members_with_the_published_number_of_parameters(depth, params):
    # He et al. 2016, table 6: ResNet-20 has 0.27 M parameters, ResNet-56 0.85 M.
    space = Branches(layers=(depth - 2) // 3, filters=16).on(CIFAR)
    graph = space.graph(residual(space))
    assert graph.params == params
    assert graph.depth == depth


def test_a_residual_member_computes_what_a_residual_net_does():
    space = Branches(layers=4, filters=4, operations=("conv_3",)).on(Shapes((1, 12, 12)))
    network = build(space.graph(residual(space)))
    network.eval()

    def layer(i, x):
        return network.get_submodule(f"conv_3_{i}")(x)

    with torch.no_grad():
        image = torch.randn(2, 1, 12, 12)
        x = network.get_submodule("stem")(image)
        for block in range(6):
            y = layer(2 * block + 2, layer(2 * block + 1, x))
            if y.shape != x.shape:  # option A: a stride and zeros
                x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, x.shape[1]))
            x = x + y
        expected = network.get_submodule("head")(network.get_submodule("norm")(x).relu().mean((2, 3)))
        assert torch.allclose(network(image), expected, atol=1e-5)


def test_dense_nets_are_members():
    n_layers, k = 6, 12
    space = Branches(stages=1, layers=n_layers, filters=k, growth=1).on(CIFAR)
    graph = space.graph(member(space, "concat", lambda i, j: True))
    widths = [k * i for i in range(1, n_layers + 1)]  # what layer i takes: all outputs before it
    assert [graph.shapes[f"concat_{i}"][0] for i in range(2, n_layers + 2)] == [*widths[1:], k * (n_layers + 1)]
    convolutions = 9 * k * sum(widths) + 9 * 3 * k
    norms = 2 * (sum(widths) + k * (n_layers + 1))
    assert graph.params == convolutions + norms + 10 * (k * (n_layers + 1) + 1)


def test_chains_are_members():
    space = Branches(layers=2).on(CIFAR)
    graph = space.graph(member(space, "add", lambda i, j: False)).simplified()
    assert all(len(node.edges) == 1 for node in graph.nodes if node.name != "image")


def test_the_size_counts_operations_skips_and_merges():
    # n layers and the end: n(n+1)/2 skips and n merges; the first layer has neither.
    for n in (1, 2, 6):
        space = Branches(stages=1, layers=n)
        assert space.size == 7**n * 2 ** (n * (n + 1) // 2) * 2**n


def test_skips_cross_the_borders_of_stages():
    space = Branches(stages=3, layers=1, filters=4).on(Shapes((1, 9, 9)))
    for merge, channels in (("add", 16), ("concat", 28 + 4)):
        graph = space.graph(member(space, merge, lambda i, j: True))
        assert graph.shapes[f"{merge}_4"] == (channels, 3, 3)


def test_filters_transfer():
    a = Branches(filters=4).sample(np.random.default_rng(0))
    params = [Branches(filters=f).on(CIFAR).graph(a).params for f in (4, 16)]
    assert params[1] > 4 * params[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": 0}, "are at least 1"),
        ({"merges": ()}, "are not empty"),
        ({"operations": ("conv_4",)}, "unknown name 'conv_4' in branches; did you mean 'conv_"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Branches(**arguments)
