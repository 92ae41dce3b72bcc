"""Decision spaces of networks: one open graph, resolved."""

import numpy as np
import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.spaces import SPACES, Chain, NASNet, NetworkSpace, chain, choice, op
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


# --- transfer ------------------------------------------------------------------------------------

LARGER = {"cells": lambda n: n + 1, "filters": lambda n: 2 * n}


def sizes_of(space):
    return {name: grown(getattr(space, name)) for name, grown in LARGER.items() if hasattr(space, name)}


STACKED = [(name, cls.small()) for name, cls in SPACES if issubclass(cls, NetworkSpace) and sizes_of(cls.small())]


def test_there_are_stacked_spaces():
    assert "nasnet" in [name for name, _ in STACKED]


@pytest.mark.parametrize(("name", "space"), STACKED, ids=[name for name, _ in STACKED])
def test_what_was_found_small_is_rebuilt_larger_and_for_other_data(name, space):
    a = space.sample(np.random.default_rng(0))
    small = space.on(Shapes((3, 16, 16)))
    for size, value in sizes_of(space).items():
        larger = small.scaled(**{size: value})
        assert a in larger
        assert larger.graph(a).params >= small.graph(a).params, (name, size)
    other = space.scaled(**sizes_of(space)).on(Shapes((1, 24, 24), 7))
    assert other.graph(a).infer().outputs == ((7,),)
    assert other.graph(a).params > space.on(Shapes((1, 24, 24), 7)).graph(a).params


def test_limits_are_of_one_size():
    assert NASNet().limited(params=10).scaled(filters=16).limits == ()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"filter": 8}, "sizes are arguments of the space, got 'filter'; did you mean 'filters'"),
        ({"limits": ()}, "sizes are arguments of the space, got 'limits'"),
        ({"blocks": 3}, r"other sizes keep the decisions, got \{'blocks': 3\}"),
        ({"operations": ["identity"]}, "other sizes keep the decisions"),
        ({"cells": 0}, "cells, filters and blocks are at least 1"),
    ],
)
def test_what_is_no_size_is_refused(sizes, message):
    with pytest.raises(UsageError, match=message):
        NASNet().scaled(**sizes)
