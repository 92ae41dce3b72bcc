"""Repeats: a block applied a number of times, or not at all."""

import json

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES, chain, choice, integer, op, optional, repeat
from nasturtium.testing import Shapes, check_space

LAYER = choice(op("conv"), op("sep_conv"), op("identity"))
HEAD = (op("global_pool"), op("linear"))


def test_optional_is_the_block_or_nothing():
    space = chain(op("conv", out=4), optional(op("dropout", rate=choice(0.1, 0.3))), *HEAD).on(Shapes())
    assert space.size == 3
    assert [len(space.graph(a).nodes) for a in space] == [4, 5, 5]


def test_tied_copies_look_the_same_and_have_weights_of_their_own():
    space = chain(op("conv", out=4), repeat(LAYER, at_least=0, at_most=3, tied=True), *HEAD).on(Shapes())
    assert space.size == 1 + 3 * 3
    params = {(a["1.n"], a.get("1.0")): space.graph(a).params for a in space}
    one = params[1, "conv"] - params[0, None]
    assert params[3, "conv"] - params[0, None] == 3 * one > 0
    check_space(space)


def test_a_tied_repeat_is_one_nested_graph():
    space = chain(op("conv", out=4), repeat(LAYER, at_least=3, at_most=3, tied=True), *HEAD).on(Shapes())
    graph = space.graph(next(iter(space)))
    assert graph.by_name["block_1_0"].op is graph.by_name["block_1_2"].op


def test_a_tied_block_may_give_the_tasks_outputs():
    space = chain(op("global_pool"), repeat(op("linear"), at_least=2, at_most=2, tied=True)).on(Shapes())
    assert space.graph(next(iter(space))).infer().outputs == ((10,),)


def test_a_repeat_is_an_option():
    space = chain(op("conv", out=4), choice(repeat(LAYER, at_most=2), op("max_pool")), *HEAD)
    assert space.size == (1 + 3 + 9) + 1
    assert {a["1"] for a in space} == {"repeat(x)", "max_pool"}
    check_space(space.on(Shapes()))


def test_tied_repeats_are_stored_and_made_again():
    space = chain(op("conv", out=4), repeat(LAYER, at_most=2, tied=True), *HEAD)
    assert SPACES.restore(json.loads(json.dumps(SPACES.describe(space)))) == space


@pytest.mark.parametrize("bounds", [{"at_most": 0}, {"at_least": 2, "at_most": 1}, {"at_least": -1, "at_most": 1}])
def test_impossible_bounds_are_refused(bounds):
    with pytest.raises(UsageError, match="0 <= at_least <= at_most and at_most >= 1"):
        repeat(op("conv"), **bounds)


def test_what_is_repeated_is_a_block():
    with pytest.raises(UsageError, match="what is repeated is a block, got 3"):
        repeat(3, at_most=1)
    with pytest.raises(UsageError, match="a network is made of"):
        chain(repeat(integer(1, 2), at_most=2))


def test_a_size_that_shrinks_too_often_is_refused():
    halving = op("max_pool", kernel=2, stride=2)
    fits = chain(op("conv", out=4), repeat(halving, at_most=3), *HEAD)
    check_space(fits.on(Shapes()))
    with pytest.raises(UsageError, match=r"every choice must fit, got 'max_pool\(kernel=2, stride=2\)' at '1.3'"):
        chain(op("conv", out=4), repeat(halving, at_most=4), *HEAD).on(Shapes())
