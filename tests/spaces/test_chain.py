"""The chain space: stages of layers."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Chain, branch, cell, chain, choice, load, op, repeat
from nasturtium.testing import Shapes


def test_size_is_that_of_the_stages():
    # A stage: 4 widths times the ways of 0, 1 or 2 layers of 2 kinds and 2 windows.
    assert Chain().size == (4 * (1 + 4 + 16)) ** 3
    assert Chain(stages=1, depth=1, widths=(8,), kernels=(3,)).size == 1


def test_each_stage_has_half_the_resolution():
    space = Chain(stages=3, depth=1, widths=(8,), kernels=(3,)).on(Shapes((1, 28, 28)))
    graph = space.graph(next(iter(space)))
    sides = [shape for name, shape in graph.shapes.items() if name.startswith("conv")]
    assert sides == [(8, 28, 28), (8, 14, 14), (8, 7, 7)]
    assert graph.infer().outputs == ((10,),)


def test_parameters_of_the_smallest_network():
    space = Chain(stages=1, depth=1, widths=(8,), kernels=(3,)).on(Shapes())
    # conv 3x3x1x8, normalization 2x8, linear 8x10 + 10
    assert space.graph(next(iter(space))).params == 72 + 16 + 90


def test_it_is_loaded_by_name():
    assert load("chain", stages=2, widths=[8, 16]) == Chain(stages=2, widths=(8, 16))


@pytest.mark.parametrize("arguments", [{"stages": 0}, {"depth": 0}, {"widths": ()}, {"kernels": ()}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="stages and depth are at least 1"):
        Chain(**arguments)


LAYER = choice(op("conv"), op("sep_conv"), op("identity"), branch(op("conv"), op("max_pool"), merge="concat"))
OWN = chain(
    op("conv", out=choice(4, 8, 16)),
    repeat(LAYER, at_least=1, at_most=4),
    cell(op("conv"), op("identity"), nodes=3),
    op("global_pool"),
    op("linear"),
).on(Shapes())


@pytest.mark.parametrize("share", [0.5, 0.02, 0.001])
def test_limits_steer_sampling_and_mutation_of_a_users_chain(share):
    rng = np.random.default_rng(0)
    bound = float(np.quantile([OWN.cost(OWN.sample(rng), "params") for _ in range(1_000)], share))
    limited = OWN.limited(params=bound)
    for _ in range(3):
        a = limited.sample(rng)
        for _ in range(50):
            before, a = a, limited.mutate(a, rng)
            assert a != before
            assert a in limited
            assert OWN.cost(a, "params") <= bound


@pytest.mark.parametrize("wrong", [{"widths": (0,)}, {"kernels": (-3,)}, {"units": (-3,), "stages": None}])
def test_sizes_are_positive(wrong):
    with pytest.raises(UsageError, match="are positive"):
        load("chain", **wrong)
