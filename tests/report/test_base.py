import math

import pytest

from nasturtium.report import FinalResults, wilson
from nasturtium.trials import Limit, State


@pytest.mark.parametrize(
    ("error", "n", "low", "high"),
    [  # scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
        (0.0, 10, 0.0, 0.277533),
        (0.1, 100, 0.055229, 0.174366),
        (0.5, 20, 0.299298, 0.700702),
        (1.0, 10, 0.722467, 1.0),
    ],
)
def test_wilson_is_the_known_interval(error, n, low, high):
    assert wilson(error, n) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize(("error", "n"), [(math.nan, 10), (0.1, 0), (2.0, 10)])
def test_wilson_has_no_interval_for_what_is_no_share(error, n):
    assert all(math.isnan(end) for end in wilson(error, n))


def test_the_front_holds_only_what_meets_the_limits(studies):
    study = studies(objectives=["valid_error"], limits=[Limit("latency_ms", 1.0)])
    study.end(valid_error=0.1, latency_ms=2.0)
    assert study.found().front == []
    assert study.found().best is None
    study.end(valid_error=0.2, latency_ms=0.5)
    assert [trial.number for trial in study.found().front] == [1]


def test_limits_are_those_of_the_space_and_of_what_is_measured(networks, studies):
    study = studies(networks().space.limited(params=5000), limits=[Limit("latency_ms", 1.0)])
    assert study.found().limits == (Limit("params", 5000), Limit("latency_ms", 1.0))


def test_seconds_and_counts_are_over_all_trials(studies):
    study = studies()
    study.end(valid_error=0.1, seconds=2.0)
    study.end(State.PAUSED, valid_error=0.1, seconds=3.0)
    study.fail("boom")
    found = study.found()
    assert found.seconds == 5.0
    assert (found.count(State.FAILED), found.count(State.FINISHED, State.PAUSED)) == (1, 2)


def test_final_results_are_found_by_trial(studies):
    entry = FinalResults(
        trial=3, key="k", folder="trial-3", params=1, flops=2, epochs=4, valid_error=0.1,
        test_error=0.2, n_test=10, weights="final",
    )  # fmt: skip
    assert studies().found([entry]).by_trial == {3: entry}
