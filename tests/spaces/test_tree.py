"""Decisions and the blocks that ask them."""

from math import inf

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import choice, decisions, integer, option, real, repeat, subset


def draws(block, n=20_000, seed=0):
    space = decisions(x=block)
    rng = np.random.default_rng(seed)
    return [space.sample(rng)["x"] for _ in range(n)]


def shares(values):
    kinds, counts = np.unique([repr(v) for v in values], return_counts=True)
    return dict(zip(kinds.tolist(), (counts / len(values)).tolist(), strict=True))


# --- choice --------------------------------------------------------------------------------------


def test_a_choice_is_uniform():
    assert all(abs(s - 0.25) < 0.02 for s in shares(draws(choice("a", "b", 3, None))).values())


def test_lists_among_the_options_become_tuples():
    assert choice([1, [2]], (3,)).values == ((1, (2,)), (3,))


@pytest.mark.parametrize("options", [(), ("a", "a"), (1, True), (1, 1.0), (0, False), ([1], (1,))], ids=repr)
def test_options_differ_and_there_is_one(options):
    with pytest.raises(UsageError, match="at least one option and no two alike"):
        choice(*options)


@pytest.mark.parametrize(
    "value", [object(), {"a": 1}, {1}, np.int64(3), np.float64(0.5), inf, float("nan"), integer(1, 2)]
)
def test_options_have_an_exact_text(value):
    with pytest.raises(UsageError, match="an option is a string, a number"):
        choice("a", value)


def test_an_option_opens_decisions_of_its_own():
    space = decisions(o=choice("sgd", option("adam", beta=choice(0.9, 0.99))), n=integer(1, 2))
    texts = [a.text for a in space]
    assert texts == [
        '{"o":"sgd","n":1}',
        '{"o":"sgd","n":2}',
        '{"o":"adam","o.adam.beta":0.9,"n":1}',
        '{"o":"adam","o.adam.beta":0.9,"n":2}',
        '{"o":"adam","o.adam.beta":0.99,"n":1}',
        '{"o":"adam","o.adam.beta":0.99,"n":2}',
    ]
    assert space.size == 6


def test_an_option_holds_blocks():
    with pytest.raises(UsageError, match=r"a decision is choice\(...\), .* got beta=0.9"):
        option("adam", beta=0.9)


# --- rules ---------------------------------------------------------------------------------------


def rising(prefix, value):
    return all(value > earlier for earlier in prefix.values())


def test_a_rule_shortens_the_options():
    space = decisions(a=choice(1, 2, 3), b=choice(2, 3, 4, rule=rising), c=choice(5, 4, rule=rising))
    assert [tuple(a.values()) for a in space][:4] == [(1, 2, 5), (1, 2, 4), (1, 3, 5), (1, 3, 4)]
    assert space.size == len(list(space)) == 3 * 2 + 2 * 2 + 1 * 2 - 3
    assert all(a["a"] < a["b"] < a["c"] for a in space)


def test_a_rule_that_leaves_nothing_says_where():
    space = decisions(a=choice(1, 9), b=choice(2, 3, rule=rising))
    with pytest.raises(UsageError, match=r"at least one option, got none at 'b' after \{'a': 9\}"):
        list(space)


# --- subset --------------------------------------------------------------------------------------


def test_a_subset_is_a_tuple_in_the_given_order():
    space = decisions(x=subset("p", "q", "r"))
    assert [a["x"] for a in space] == [
        (),
        ("p",),
        ("q",),
        ("r",),
        ("p", "q"),
        ("p", "r"),
        ("q", "r"),
        ("p", "q", "r"),
    ]


def test_a_subset_may_have_bounds():
    space = decisions(x=subset(1, 2, 3, at_least=1, at_most=2))
    assert space.size == 6
    assert {len(a["x"]) for a in space} == {1, 2}


@pytest.mark.parametrize("bounds", [(-1, 2), (3, 2), (0, 4)])
def test_impossible_bounds_of_a_subset_are_refused(bounds):
    with pytest.raises(UsageError, match="0 <= at_least <= at_most <= 3 options"):
        subset(1, 2, 3, at_least=bounds[0], at_most=bounds[1])


def test_a_subset_opens_the_decisions_of_the_options_taken():
    space = decisions(
        x=subset("p", option("q", n=integer(1, 2)), option("r", m=choice("a", "b", "c")), at_least=2, at_most=2)
    )
    texts = [a.text for a in space]
    assert texts[:2] == ['{"x":["p","q"],"x.q.n":1}', '{"x":["p","q"],"x.q.n":2}']
    assert len(texts) == space.size == 2 + 3 + 2 * 3


def test_a_subsets_options_differ():
    with pytest.raises(UsageError, match="options differ"):
        subset("p", "p")


# --- numbers -------------------------------------------------------------------------------------


def test_an_integer_is_uniform_and_holds_both_ends():
    found = shares(draws(integer(1, 5)))
    assert sorted(found) == ["1", "2", "3", "4", "5"]
    assert all(abs(share - 0.2) < 0.02 for share in found.values())


def test_a_logarithmic_integer_prefers_small_ones_and_holds_both_ends():
    found = shares(draws(integer(1, 16, log=True)))
    assert len(found) == 16
    expected = np.log(np.array([1.5, 16.5]) / np.array([0.5, 15.5])) / np.log(16.5 / 0.5)
    assert found["1"] == pytest.approx(expected[0], abs=0.02)
    assert found["16"] == pytest.approx(expected[1], abs=0.01)


def test_a_real_is_a_float_within_its_ends():
    found = draws(real(1, 2), n=1_000)
    assert {type(v) for v in found} == {float}
    assert 1 <= min(found) < 1.01
    assert 1.99 < max(found) <= 2
    logarithmic = draws(real(1e-4, 1, log=True), n=4_000)
    assert np.mean([v < 1e-2 for v in logarithmic]) == pytest.approx(0.5, abs=0.03)


def test_a_point_is_a_single_option():
    space = decisions(x=real(0.5, 0.5))
    assert space.size == 1
    assert [dict(a) for a in space] == [{"x": 0.5}]


def test_a_real_space_is_infinite_and_is_not_walked():
    space = decisions(x=real(0, 1))
    assert space.size == inf
    with pytest.raises(UsageError, match="only finite spaces can be walked, got the real decision"):
        next(iter(space))


@pytest.mark.parametrize("ends", [(2, 1), (0, inf), (float("nan"), 1), (-inf, 0)], ids=lambda ends: str(ends))
def test_impossible_ends_are_refused(ends):
    with pytest.raises(UsageError, match="low <= high"):
        real(*ends)


def test_a_logarithm_needs_positive_numbers():
    with pytest.raises(UsageError, match="low > 0 for a log scale"):
        integer(0, 3, log=True)


def test_an_integers_ends_are_whole():
    with pytest.raises(UsageError, match="ends are whole"):
        integer(0.5, 3)


# --- repeat --------------------------------------------------------------------------------------


def test_a_repeat_asks_how_often_and_then_each_time():
    space = decisions(x=repeat(choice("a", "b"), at_most=2))
    assert [a.text for a in space] == [
        '{"x.n":0}',
        '{"x.n":1,"x.0":"a"}',
        '{"x.n":1,"x.0":"b"}',
        '{"x.n":2,"x.0":"a","x.1":"a"}',
        '{"x.n":2,"x.0":"a","x.1":"b"}',
        '{"x.n":2,"x.0":"b","x.1":"a"}',
        '{"x.n":2,"x.0":"b","x.1":"b"}',
    ]
    assert space.size == 7


@pytest.mark.parametrize("bounds", [(-1, 2), (3, 2), (0, 0)])
def test_impossible_bounds_of_a_repeat_are_refused(bounds):
    with pytest.raises(UsageError, match="0 <= at_least <= at_most and at_most >= 1"):
        repeat(choice(1, 2), at_least=bounds[0], at_most=bounds[1])


def test_what_is_repeated_is_a_block():
    with pytest.raises(UsageError, match="what is repeated is a block, got 3"):
        repeat(3, at_most=2)
