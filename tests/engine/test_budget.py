"""Budget: checked in one place."""

import pytest

from nasturtium.engine import Budget
from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture
from nasturtium.testing._running import setting_of
from nasturtium.testing._toys import small_table
from nasturtium.trials import Asked, Ended, Fidelity, Log, Measured, Measurement, Proposal, State

A = Architecture({"x": "a", "y": "a"})


def history(*seconds, n_pending=0, epochs=0):
    """Return a history of trials that took so long, and others that are under way."""
    log = Log(setting_of(small_table().space))
    for number, taken in enumerate(seconds):
        log.append([Asked(number, Proposal(A), 0, Fidelity(epochs))])
        log.append([Measured(number, Measurement(epochs, {"loss": 1.0}, taken))])
        log.append([Ended(number, State.FINISHED)])
    for number in range(len(seconds), len(seconds) + n_pending):
        log.append([Asked(number, Proposal(A), 0, Fidelity(epochs))])
    return log.history()


def test_trials_count_whether_they_have_ended_or_not():
    budget = Budget(trials=5)
    assert budget.room(history(), 0.0, 0) == 5
    assert budget.room(history(1.0, 1.0, n_pending=2), 0.0, 2) == 1
    assert budget.room(history(1.0, 1.0, n_pending=4), 0.0, 4) == 0
    assert not budget.is_spent(history(*[1.0] * 9), 0.0)  # a paused trial may still go on


def test_nothing_begins_after_the_time():
    budget = Budget(seconds=10)
    assert budget.room(history(), 9.9, 0) > 0
    assert budget.room(history(), 10.0, 0) == 0
    assert budget.is_spent(history(), 10.0)
    assert not budget.is_spent(history(), 9.9)


def test_a_trial_that_would_end_after_the_time_is_not_begun():
    budget = Budget(seconds=10)
    assert budget.room(history(2.0, 2.0, 50.0), 7.9, 0) > 0  # by the median
    assert budget.room(history(2.0, 2.0, 50.0), 8.1, 0) == 0
    assert not budget.is_spent(history(2.0, 2.0, 50.0), 8.1)


def test_while_nothing_has_finished_and_something_runs_half_of_the_time_is_left_to_it():
    budget = Budget(seconds=10)
    assert budget.room(history(n_pending=1), 4.9, 1) > 0
    assert budget.room(history(n_pending=1), 5.1, 1) == 0
    assert budget.room(history(n_pending=1), 5.1, 0) > 0


def test_epochs_are_those_of_all_trials():
    budget = Budget(epochs=10)
    assert budget.room(history(1.0, 1.0, 1.0, epochs=3), 0.0, 0) > 0
    assert budget.room(history(1.0, 1.0, 1.0, 1.0, epochs=3), 0.0, 0) == 0
    assert budget.is_spent(history(*[1.0] * 4, epochs=3), 0.0)


def test_an_empty_history_has_no_epochs():
    assert not Budget(epochs=1).is_spent(history(n_pending=3, epochs=3), 0.0)


def test_what_is_left_is_not_negative():
    assert Budget(seconds=10).left(3.0) == 7.0
    assert Budget(seconds=10).left(30.0) == 0.0
    assert Budget(trials=10).left(30.0) is None


def test_a_budget_has_a_bound():
    with pytest.raises(UsageError, match="a budget needs a bound, got none"):
        Budget()


@pytest.mark.parametrize("bounds", [{"trials": 0}, {"seconds": -1.0}, {"epochs": 0}, {"seconds": float("nan")}])
def test_a_bound_is_positive(bounds):
    with pytest.raises(UsageError, match="a budget is positive, got"):
        Budget(**bounds)
