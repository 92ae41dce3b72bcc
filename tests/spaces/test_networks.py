"""Decision spaces of networks: one open graph, resolved."""

import numpy as np
import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.spaces import SPACES, Chain, NASNet, chain, choice, op
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

NOT_SIZES = ("cgp", "codeepneat")
"""Whose ``filters`` are what a decision chooses from."""


def grown(value):
    """Return twice the size: of cells in a group, of channels, or of those of each stage."""
    return 2 * value if isinstance(value, int) else tuple(2 * n for n in value)


def sizes_of(space):
    return {name: grown(getattr(space, name)) for name in ("cells", "filters") if hasattr(space, name)}


STACKED = [
    (name, cls.small())
    for name, cls in SPACES
    if hasattr(cls, "scaled") and sizes_of(cls.small()) and name not in NOT_SIZES
]


def test_stacked_spaces_say_how_many_cells_and_filters():
    cells = {name for name, space in STACKED if "cells" in sizes_of(space)}
    assert cells >= {"nasnet", "darts", "amoebanet", "enas-micro", "hierarchical", "nasbench101", "nasbench201"}
    filters = {name for name, space in STACKED if "filters" in sizes_of(space)}
    assert filters >= cells | {"branches", "dense", "enas-macro", "genetic-cnn", "grammar", "macro", "mobile"}


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
