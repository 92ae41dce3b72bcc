"""Decision spaces of networks: one open graph, resolved."""

import numpy as np
import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.spaces import Chain, chain, choice, op
from nasturtium.testing import Shapes

SPACE = chain(op("conv", out=choice(4, 8)), op("global_pool"), op("linear"))


def test_graphs_are_made_once():
    space = SPACE.on(Shapes())
    a = next(iter(space))
    assert space.graph(a) is space.graph(a)
    assert space.graph() is space.graph()


def test_binding_gives_another_space_and_leaves_this_one():
    bound = SPACE.on(Shapes((3, 12, 12), 7))
    assert (bound.input_shape, bound.n_outputs) == ((3, 12, 12), 7)
    assert (SPACE.input_shape, SPACE.n_outputs) == (None, None)
    assert bound != SPACE
    a = SPACE.sample(np.random.default_rng(0))
    assert a in bound
    assert bound.graph(a).params != SPACE.on(Shapes()).graph(a).params


def test_an_unbound_network_has_no_shapes_and_says_so():
    a = next(iter(SPACE))
    with pytest.raises(ShapeError, match="declares no shape"):
        _ = SPACE.graph(a).params


def test_an_architecture_that_lacks_a_choice_has_no_network():
    space = Chain().on(Shapes())
    a = space.sample(np.random.default_rng(0))
    with pytest.raises(UsageError, match="every choice must be made, got no value for"):
        space.graph(type(a)({path: v for path, v in a.items() if path != "0.out"}))
