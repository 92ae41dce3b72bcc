"""Rewards: the papers' formulas, and several objectives as one number."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.strategies import Chebyshev, MnasNetReward
from nasturtium.strategies._scalarization import Seen, check_reward, is_usable, rewarded
from nasturtium.trials import INFEASIBLE, Objective

ERROR, LATENCY = Objective("valid_error"), Objective("latency_ms")


def seen(*rows):
    found = Seen()
    for row in rows:
        found = found.beside(np.array(row))
    return found


def one(reward, objective, loss):
    return rewarded(reward, Chebyshev(), (objective,), np.array([loss]), seen([loss]))


@pytest.mark.parametrize(
    ("reward", "objective", "loss", "expected"),
    [
        ("accuracy", ERROR, 0.2, 0.8),
        ("cubed-accuracy", ERROR, 0.2, 0.512),
        ("paper", ERROR, 0.2, 0.512),
        ("accuracy", Objective("accuracy", maximize=True), -0.8, 0.8),
        ("paper", Objective("valid_perplexity"), 64.0, 80 / 64**2),  # c = 80, Zoph & Le 2017
        ("inverse-square", ERROR, 0.2, 80.0),
    ],
)
def test_the_reward_of_one_objective(reward, objective, loss, expected):
    assert one(reward, objective, loss) == pytest.approx(expected)


def test_mnasnets_reward():
    rows = ([0.25, 80.0], [0.2, 40.0])
    for row, expected in ((rows[0], 0.75), (rows[1], 0.8 * 0.5**-0.07)):
        assert MnasNetReward().quality(np.array(row), seen(*rows)) == pytest.approx(expected)
    assert MnasNetReward(targets=(20.0,)).quality(np.array(rows[1]), seen(*rows)) == pytest.approx(0.8 * 2**-0.07)


def test_doubling_the_latency_costs_five_per_cent_of_the_accuracy():
    # Tan et al. 2019, section 3: the exponent makes these two alike.
    quick, slow = (
        MnasNetReward(targets=(10.0,)).quality(np.array(row), seen(row)) for row in ([0.5, 10.0], [0.475, 20.0])
    )
    assert slow == pytest.approx(quick, rel=0.001)


def test_chebyshev_is_that_of_the_worst_objective():
    known = seen([0.1, 900.0], [0.5, 100.0])
    assert Chebyshev().quality(np.array([0.2, 500.0]), known) == pytest.approx(0.5)
    assert Chebyshev((1.0, 0.2)).quality(np.array([0.2, 500.0]), known) == pytest.approx(0.75)
    assert Chebyshev().quality(np.array([0.1, 100.0]), known) == 1


@pytest.mark.parametrize("scalarization", [Chebyshev(), MnasNetReward()])
def test_better_in_all_is_better(scalarization):
    rows = np.random.default_rng(0).uniform(0.1, 0.9, (20, 3))
    known = seen(*rows)
    for row in rows:
        assert scalarization.quality(row * 0.9, known) > scalarization.quality(row, known)


def test_what_failed_or_breaks_a_limit_is_not_usable():
    assert is_usable(np.array([0.1, 3.0]))
    assert not is_usable(np.array([0.1, np.nan]))
    assert not is_usable(np.array([INFEASIBLE * 1.5] * 2))


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="reward is one of"):
        check_reward("fitness")
    for weights in ((-1.0, 1.0), (0.0, 0.0), (np.nan, 1.0), (np.inf, 1.0)):
        with pytest.raises(UsageError, match="weights are finite, at least 0"):
            Chebyshev(weights)
    for exponent, targets in ((0.1, ()), (np.nan, ()), (-0.07, (0.0,)), (-0.07, (np.nan,))):
        with pytest.raises(UsageError, match="exponent is at most 0"):
            MnasNetReward(exponent, targets)


def test_another_number_of_objectives_is_refused():
    for scalarization in (Chebyshev(), Chebyshev((1.0, 0.5)), MnasNetReward(), MnasNetReward(targets=(9.0,))):
        scalarization.check(2)
    with pytest.raises(UsageError, match=r"a weight for each objective, here 2, got \[1.0\]; give as many, or none"):
        Chebyshev((1.0,)).check(2)
    with pytest.raises(UsageError, match=r"a target for each objective after the first, here 1, got \[9.0, 3.0\]"):
        MnasNetReward(targets=(9.0, 3.0)).check(2)
