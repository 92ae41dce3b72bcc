"""The two kinds of decision, as strategies read them."""

import time

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Categorical, Interval, choice, decisions, integer, real, subset
from nasturtium.spaces._decision import is_same

SPACE = decisions(
    a=choice("x", "y"), b=integer(1, 5_000_000), c=real(0.1, 10, log=True), d=subset(1, 2), e=choice((1,), (2,))
)


def test_a_strategy_sees_kind_and_ends():
    steps = dict.fromkeys(SPACE.columns)
    for decision, _ in SPACE.trace(SPACE.sample(np.random.default_rng(0))):
        steps[decision.path] = decision
    assert isinstance(steps["a"], Categorical)
    assert steps["a"].values == ("x", "y")
    assert steps["b"] == Interval("b", 1, 5_000_000, is_log=False, is_integer=True)
    assert steps["c"] == Interval("c", 0.1, 10.0, is_log=True, is_integer=False)
    assert isinstance(steps["d"], Categorical)


def test_a_wide_integer_is_mutated_at_once():
    rng = np.random.default_rng(0)
    a = SPACE.sample(rng)
    begin = time.perf_counter()
    for _ in range(100):
        a = SPACE.mutate(a, rng)
    assert time.perf_counter() - begin < 1


@pytest.mark.parametrize("value", range(3, 8))
def test_another_whole_number_is_any_other(value):
    decision = Interval("x", 3, 7, is_log=False, is_integer=True)
    found = [decision.other(value, position, {}) for position in np.linspace(0, 1, 400, endpoint=False)]
    others = [n for n in range(3, 8) if n != value]
    assert [found.count(n) for n in others] == [100] * 4


@pytest.mark.parametrize("value", [(True,), (1.0,), 1, [1]], ids=repr)
def test_values_are_compared_with_their_types(value):
    a = SPACE.parse('{"a":"x","b":1,"c":1.0,"d":[1],"e":[1]}')
    assert Architecture({**a, "e": value}) not in SPACE
    with pytest.raises(UsageError, match="'e' is one of"):
        SPACE.trace(Architecture({**a, "e": value}))
    completed = SPACE.crossover(a, a, np.random.default_rng(0))
    assert completed == a


def test_same_is_same_text():
    assert is_same(((1, None), "x"), ((1, None), "x"))
    assert not is_same(((1, None), "x"), ((True, None), "x"))
    assert not is_same((1,), (1, 2))
