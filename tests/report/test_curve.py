import re
from itertools import combinations
from math import isnan, nan

import numpy as np
import pytest

from nasturtium.report._axes import axis_of
from nasturtium.report._curve import Step, curve, expected_best, progress
from nasturtium.trials import Limit, Objective, State


def brute_force(losses, k):
    """Return the mean best over all draws that hold a loss."""
    draws = [[x for x in draw if not isnan(x)] for draw in combinations(losses, k)]
    return np.mean([min(draw) for draw in draws if draw])


@pytest.mark.parametrize(
    "losses", [[3.0, 1.0, 2.0], [1.0, 1.0, 5.0, 0.0], [nan, 2.0, nan, 1.0, 7.0], [4.0], [nan, 1.0]]
)
def test_the_expected_best_is_the_mean_over_all_draws(losses):
    for k in range(1, len(losses) + 1):
        assert expected_best(np.array(losses), k) == pytest.approx(brute_force(losses, k))


def test_the_expected_best_of_nothing_is_nothing():
    assert isnan(expected_best(np.array([nan, nan]), 1))
    assert isnan(expected_best(np.array([]), 1))


def test_the_expected_best_of_many_is_finite_and_falls():
    losses = np.random.default_rng(0).random(10_000)
    values = [expected_best(losses, k) for k in (1, 10, 1000, 9999, 10_000)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(losses.mean())
    assert values[-1] == losses.min()


def test_progress_lists_the_improvements_and_the_end(studies):
    study = studies()
    for value, seconds in ((0.5, 1.0), (0.6, 2.0), (0.3, 3.0), (nan, 4.0)):
        study.end(valid_error=value, seconds=seconds)
    study.fail("boom")
    assert progress(study.found()) == [
        Step(0, 1, 1.0, 0.5),
        Step(2, 3, 6.0, 0.3),
        Step(2, 5, 10.0, 0.3),
    ]


def test_progress_of_a_maximized_metric_goes_up(studies):
    study = studies(objectives=[Objective("accuracy", maximize=True)])
    study.end(accuracy=0.5)
    study.end(accuracy=0.7)
    assert [step.value for step in progress(study.found())] == [0.5, 0.7, 0.7]


def test_what_breaks_a_limit_is_no_progress(studies):
    study = studies(limits=[Limit("latency_ms", 1.0)])
    study.end(valid_error=0.1, latency_ms=9.0)
    study.end(valid_error=0.4, latency_ms=0.5)
    assert [step.trial for step in progress(study.found())] == [1, 1]


def test_paused_trials_are_charged(studies):
    study = studies()
    study.end(State.PAUSED, valid_error=0.9, seconds=10.0)
    study.end(valid_error=0.5, seconds=1.0)
    study.end(State.PAUSED, valid_error=0.9, seconds=5.0)
    assert [step.seconds for step in progress(study.found())] == [11.0, 16.0]


def test_there_is_no_progress_without_values(studies):
    study = studies()
    study.fail("boom")
    assert progress(study.found()) == []
    assert progress(studies().found()) == []


def test_the_curve_goes_through_the_improvements():
    steps = [Step(0, 1, 1.0, 0.5), Step(2, 3, 6.0, 0.3), Step(2, 5, 10.0, 0.3)]
    svg = curve([(float(s.n_trials), s) for s in steps], "trials", "valid_error")
    x, y = axis_of("trials", [5.0], from_zero=True), axis_of("valid_error", [0.3, 0.5])
    course = re.search(r'd="(M[^"]*)" class="best"', svg).group(1)
    numbers = [float(n) for n in re.findall(r"[\d.]+", course)]
    wanted = [x.x(1), y.y(0.5), x.x(3), y.y(0.3), x.x(5), y.y(0.3)]
    assert numbers == pytest.approx(wanted, abs=0.01)
    assert svg.count("<circle") == 2
    assert "trial 2: validation error 30.00 % (trials 3)" in svg
    assert "in the end 30.00 %" in svg


def test_the_curve_shows_what_to_compare_with():
    steps = [(1.0, Step(0, 1, 1.0, 0.5)), (2.0, Step(0, 2, 2.0, 0.5))]
    assert 'class="expected"' in curve(steps, "trials", "m", expected=[(1.0, 0.9), (2.0, nan)])
    assert 'class="expected"' not in curve(steps, "trials", "m")


def test_an_empty_curve_is_an_empty_frame():
    assert "in the end none" in curve([], "trials", "valid_error")
