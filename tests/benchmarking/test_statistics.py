"""What a grid of runs says."""

import numpy as np
from scipy.stats import ttest_rel, wilcoxon

from nasturtium.benchmarking._run import Run
from nasturtium.benchmarking._statistics import Summary, budgets, compared, holm, matrix, ranks


def test_a_summary_leaves_out_what_is_missing():
    summary = Summary.of(np.array([1.0, 3.0, np.nan, 5.0]))
    assert (summary.n, summary.mean, summary.sd) == (3, 3.0, 2.0)
    assert summary.standard_error == 2.0 / np.sqrt(3)
    assert summary.quantiles[2] == 3.0


def test_a_summary_of_nothing_is_null_in_json():
    assert set(Summary.of(np.array([np.nan])).to_json().values()) == {0, None}


def test_budgets_end_with_all_evaluations():
    assert budgets(7) == [7]
    assert budgets(100) == [10, 20, 50, 100]
    assert budgets(120)[-2:] == [100, 120]


def test_a_run_that_ended_early_keeps_its_last_value():
    run = Run("s", 0, (0.3, 0.2), (0.5, 0.4), (1.0, 2.0), 2, 0.1)
    np.testing.assert_array_equal(matrix([run], "search", 4), [[0.3, 0.2, 0.2, 0.2]])


def test_holm_multiplies_the_smallest_by_their_number_and_never_falls():
    assert holm([0.04, 0.01, 0.9]) == [0.08, 0.03, 0.9]
    assert holm([0.03, 0.03]) == [0.06, 0.06]


def test_pairs_are_tested_by_seed():
    rng = np.random.default_rng(0)
    base = rng.normal(size=40)
    shifted = base + 0.1 + 0.01 * rng.normal(size=40)
    (test,) = compared({"a": shifted, "b": base})
    assert test.p == wilcoxon(shifted - base).pvalue < 1e-6
    low, high = ttest_rel(shifted, base).confidence_interval()
    np.testing.assert_allclose([test.low, test.high], [low, high])


def test_equal_samples_are_no_difference():
    (test,) = compared({"a": np.ones(5), "b": np.ones(5)})
    assert (test.difference, test.p) == (0.0, 1.0)


def test_a_missing_value_ranks_last():
    assert ranks({"a": np.array([np.nan, 1.0]), "b": np.array([5.0, 2.0])}) == {"a": 1.5, "b": 1.5}
