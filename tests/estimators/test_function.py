"""Function: the user's own."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Function
from nasturtium.spaces import Architecture
from nasturtium.testing._running import Shelf
from nasturtium.testing._toys import small_table
from nasturtium.trials import Fidelity

A = Architecture({"x": "a", "y": "a"})


def measured(function, architecture=A, epochs=0):
    context = Context(small_table().space, None, 0, Shelf()({}))
    return list(Function(function).evaluate(Assignment(0, architecture, Fidelity(epochs)), context))


def test_it_is_called_once_with_the_architecture():
    calls = []
    [m] = measured(lambda a: calls.append(a) or {"loss": 0.5})
    assert calls == [A]
    assert (m.step, m.metrics) == (0, {"loss": 0.5})


def test_the_time_it_takes_is_charged_unless_it_says_another():
    assert 0 <= measured(lambda a: {"loss": 0.5})[0].seconds < 1
    [m] = measured(lambda a: {"loss": 0.5, "seconds": 1234.5})
    assert (m.seconds, m.metrics) == (1234.5, {"loss": 0.5})


def test_the_functions_own_dictionary_is_left_alone():
    metrics = {"loss": 0.5, "seconds": 3.0, "test_error": 0.1}
    [m] = measured(lambda a: metrics)
    assert metrics == {"loss": 0.5, "seconds": 3.0, "test_error": 0.1}
    assert m.report == {"test_error": 0.1}


def test_numbers_of_any_kind_become_plain_ones():
    [m] = measured(lambda a: {"loss": np.float32(0.5), "params": np.int64(3)})
    assert {type(value) for value in m.metrics.values()} == {float}


@pytest.mark.parametrize("result", [0.5, None, {"loss": "low"}, {"loss": None}])
def test_what_is_no_mapping_of_numbers_is_the_candidates_failure(result):
    with pytest.raises((TypeError, ValueError)):
        measured(lambda a: result)


def test_the_whole_space_is_refused():
    with pytest.raises(UsageError, match="a function evaluates architectures, got the whole space"):
        measured(lambda a: {}, architecture=None)


def test_it_measures_at_the_fidelity_it_is_asked_for():
    assert [m.step for m in measured(lambda a: {"loss": 1.0}, epochs=5)][-1] == 5
