"""The chain space: stages of layers."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Chain, load
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
