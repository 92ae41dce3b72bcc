"""A single decision: options and positions."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces._decision import Categorical, Interval


@pytest.mark.parametrize("position", [0.0, 0.3, 1 - 1e-16])
@pytest.mark.parametrize("low", [1e-5, 0.1, 3.0])
def test_rounding_never_leaves_the_interval(position, low):
    interval = Interval("x", low, 7.0, is_log=True, is_integer=False)
    value = interval.at(position, {})
    assert low <= value <= 7.0
    assert 0 <= interval.position(value, {}) < 1


@pytest.mark.parametrize(
    ("decision", "value"),
    [
        (Interval("x", 1, 5, is_log=False, is_integer=True), 2.0),
        (Interval("x", 1, 5, is_log=False, is_integer=True), True),
        (Interval("x", 1, 5, is_log=False, is_integer=True), 6),
        (Interval("x", 1.0, 5.0, is_log=False, is_integer=False), float("nan")),
        (Interval("x", 1.0, 5.0, is_log=False, is_integer=False), 2),
        (Categorical("x", (1, 2)), 1.0),
        (Categorical("x", (1, 2)), "1"),
    ],
)
def test_a_value_of_another_type_or_place_is_refused(decision, value):
    with pytest.raises(UsageError, match="'x' is "):
        decision.position(value, {})


def test_another_value_is_uniform_among_the_others():
    decision = Categorical("x", ("a", "b", "c", "d"))
    found = [decision.other("b", p, {}) for p in np.linspace(0, 1, 3_000, endpoint=False)]
    assert {repr(v): found.count(v) / len(found) for v in set(found)} == {"'a'": 1 / 3, "'c'": 1 / 3, "'d'": 1 / 3}


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("is_integer", [False, True])
def test_a_position_leads_back_to_its_value(is_log, is_integer):
    decision = Interval("x", 1, 64, is_log, is_integer) if is_integer else Interval("x", 1.0, 64.0, is_log, False)
    for position in np.linspace(0, 1, 200, endpoint=False):
        value = decision.at(position, {})
        again = decision.at(decision.position(value, {}), {})
        assert again == (value if is_integer else pytest.approx(value))
