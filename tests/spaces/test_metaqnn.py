"""MetaQNN's layers (Baker et al. 2017): the transitions of the paper, and what they make."""

from math import inf

import numpy as np
import pytest

from nasturtium.spaces import Architecture, Chain
from nasturtium.testing import Shapes, check_sweep

PAPER = Chain.metaqnn()
CIFAR = PAPER.on(Shapes((3, 32, 32)))
TINY = Chain(stages=None, depth=3, widths=(4,), kernels=(1, 3), units=(8, 4))
POOLS = {"pool(5,3)", "pool(3,2)", "pool(2,2)"}
ENDS = {"gap", "softmax"}


def options(space, *layers):
    """Return what may follow these layers."""
    values = {f"layer_{i}": layer for i, layer in enumerate(layers)}
    found = []

    def choose(decision, prefix):
        if decision.path not in values:
            found.append(set(decision.options(prefix)))
            return "softmax"
        return values[decision.path]

    space.construct(choose)
    return found[0]


def test_the_start_has_14_actions():
    # methods A3, check (b): 12 convolutions and both ends; no pool comes first, and 32 pixels are too many for FC.
    start = options(CIFAR)
    assert len(start) == 14
    assert start == {f"conv({w},{k})" for w in (64, 128, 256, 512) for k in (1, 3, 5)} | ENDS


def test_a_pool_follows_no_pool():
    for pool in POOLS:
        after = options(CIFAR, "conv(64,3)", pool)
        assert not after & POOLS
        assert after >= ENDS
    assert options(CIFAR, "conv(64,3)") >= POOLS


def test_fully_connected_layers_come_behind_small_images_and_do_not_grow():
    two = ("conv(64,3)", "pool(5,3)", "conv(64,3)")  # 11 pixels
    assert "fc(512)" not in options(CIFAR, *two)
    three = (*two, "pool(3,2)")  # 6 pixels
    assert options(CIFAR, *three) >= {"fc(512)", "fc(256)", "fc(128)"}
    assert options(CIFAR, *three, "fc(256)") == {"fc(256)", "fc(128)", "softmax"}
    assert options(CIFAR, *three, "fc(256)", "fc(128)") == {"softmax"}


def test_a_window_fits_the_image():
    tiny = PAPER.on(Shapes((1, 4, 6)))
    assert {layer for layer in options(tiny) if layer.startswith("conv")} == {
        f"conv({w},{k})" for w in (64, 128, 256, 512) for k in (1, 3)
    }
    assert options(tiny, "conv(64,3)") & POOLS == {"pool(3,2)", "pool(2,2)"}


def test_at_the_greatest_depth_only_an_end_is_left():
    assert options(CIFAR, *["conv(64,3)"] * 18) == ENDS
    assert len(PAPER.columns) == 18 + 1


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 9, 7), (1, 32, 32)])
def test_the_count_is_that_of_walking(shape):
    space = TINY.on(Shapes(shape))
    members = list(space)
    assert len(set(members)) == len(members) == space.size
    for a in members:
        layers = [a[f"layer_{i}"] for i in range(len(a))]
        assert layers[-1] in ENDS
        assert not any(layer in ENDS for layer in layers[:-1])
        assert len(layers) <= TINY.depth + 1


def test_what_is_forbidden_is_no_member():
    legal = {"layer_0": "conv(4,3)", "layer_1": "pool(2,2)", "layer_2": "softmax"}
    assert Architecture(legal) in TINY
    for changed in ({"layer_0": "pool(2,2)"}, {"layer_2": "pool(2,2)"}, {"layer_3": "softmax"}, {"layer_1": "fc(8)"}):
        assert Architecture({**legal, **changed}) not in TINY


def test_parameters_by_hand():
    a = CIFAR.parse('{"layer_0":"conv(64,3)","layer_1":"pool(3,2)","layer_2":"conv(128,1)","layer_3":"gap"}')
    assert CIFAR.graph(a).params == 27 * 64 + 2 * 64 + 64 * 128 + 2 * 128 + 128 * 10 + 10
    b = CIFAR.parse('{"layer_0":"conv(64,3)","layer_1":"softmax"}')
    assert CIFAR.graph(b).params == 27 * 64 + 2 * 64 + 64 * 32 * 32 * 10 + 10


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 9, 13)])
def test_every_member_is_a_network(shape):
    space = Chain(stages=None, depth=6, widths=(4, 8), kernels=(1, 3, 5), units=(16, 8)).on(Shapes(shape))
    check_sweep(space, 15, n_exports=3, n_chains=4)


def test_limits_steer_what_is_drawn():
    rng = np.random.default_rng(0)
    limited = CIFAR.limited(params=200_000)
    assert max(limited.cost(limited.sample(rng), "params") for _ in range(20)) <= 200_000
    assert CIFAR.size < inf
