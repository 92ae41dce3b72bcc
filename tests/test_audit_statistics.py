"""Rank correlations, intervals and what a search gains."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasturtium import _audit_statistics as audit_statistics
from nasturtium._audit_statistics import (
    agreement,
    better_half,
    bootstrap,
    ceiling,
    expected_best,
    selection_gain,
    spearman,
)
from nasturtium.errors import UsageError


def test_spearman_is_scipys_with_ties_too():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 6, size=(2, 15)).astype(float)
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(spearman(np.ones(4), np.arange(4.0)))


def test_agreement_is_the_mean_over_seeds_and_the_ceiling_that_of_their_pairs():
    full = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0], [4.0, 3.0, 2.0, 1.0]])
    assert agreement(full[0], full[1:]) == pytest.approx((0.8 - 1) / 2)
    assert ceiling(full) == pytest.approx((0.8 - 1 - 0.8) / 3)


def test_the_better_half_is_by_the_mean_of_the_seeds():
    assert better_half(np.array([[4.0, 1.0, 3.0, 2.0], [4.0, 3.0, 1.0, 8.0]])).tolist() == [1, 2]


def test_the_interval_covers_the_truth_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(audit_statistics, "RESAMPLES", 200)
    rng = np.random.default_rng(1)
    columns = np.arange(30)
    truth = 6 / np.pi * np.arcsin(0.7 / 2)  # Spearman's correlation of normal values with Pearson's 0.7
    hits = 0
    for k in range(30):
        x = rng.normal(size=30)
        y = 0.7 * x + np.sqrt(1 - 0.49) * rng.normal(size=30)
        found = bootstrap(lambda c, x=x, y=y: spearman(x[c], y[c]), columns, seed=k)
        hits += found.low <= truth <= found.high
    assert 25 <= hits <= 30


def test_too_few_have_no_interval():
    with pytest.raises(UsageError, match="three architectures or more, got 2"):
        bootstrap(lambda columns: 0.0, np.arange(2))


def test_the_expected_best_is_that_of_a_simulation():
    draws = np.random.default_rng(0).normal(size=(20_000, 10)).max(1)
    assert expected_best(10) == pytest.approx(draws.mean(), abs=0.02)


def test_the_gain_of_a_selection_is_that_of_a_simulation():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(20_000, 25))
    estimate = 0.6 * truth + 0.8 * rng.normal(size=truth.shape)
    chosen = truth[np.arange(len(truth)), estimate.argmax(1)]
    assert selection_gain(0.6, 0.2, budget=5) == pytest.approx(chosen.mean(), abs=0.02)
