"""The exact expectation of random search."""

from itertools import combinations, product

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarking import Grid, Protocol, Results, expected_best, run_grid, table
from nasturtium.errors import UsageError

VALUES = np.array([0.3, 0.1, 0.4, 0.1, 0.5])
REPORT = np.array([3.0, 1.0, 4.0, 2.0, 5.0])


def slow(n, draws):
    """Return the mean report of the best of every possible draw, ties shared."""
    best = [[REPORT[i] for i in set(drawn) if VALUES[i] == VALUES[list(drawn)].min()] for drawn in draws]
    return np.mean([np.mean(each) for each in best])


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_against_enumeration(n):
    # with replacement a tie between distinct rows is broken evenly, whichever was drawn more often
    assert expected_best(VALUES, n, REPORT) == pytest.approx(slow(n, product(range(5), repeat=n)))
    assert expected_best(VALUES, n, REPORT, repeats="avoid") == pytest.approx(slow(n, combinations(range(5), n)))


def test_nan_is_never_best():
    values = np.array([np.nan, 0.2, 0.1])
    assert expected_best(values, 3, repeats="avoid") == pytest.approx(0.1)
    assert expected_best(values, 1) == pytest.approx(0.15)


def test_large_tables_do_not_overflow():
    cells = table("nasbench201")
    values, report = (100 - cells[c].astype(float) for c in ("c10_val_e12", "c10_test_e200"))
    both = [100 - expected_best(values, 100, report, repeats=repeats) for repeats in ("allow", "avoid")]
    # the published 93.70 +- 0.36 of Dong & Yang 2020, table 5; 93.74 on this table
    assert both == pytest.approx([93.74, 93.74], abs=0.02)
    assert expected_best(values, 15_625, repeats="avoid") == pytest.approx(values.min())


@pytest.mark.parametrize(("n", "repeats"), [(0, "allow"), (6, "avoid"), (1, "never")])
def test_wrong_number_of_draws(n, repeats):
    with pytest.raises(UsageError, match="n is in"):
        expected_best(VALUES, n, repeats=repeats)


def test_chances_stand_for_rows_that_are_there_more_than_once():
    copies = np.repeat(np.arange(5), [1, 3, 1, 2, 1])
    weights = np.bincount(copies) / len(copies)
    for n in (1, 3, 7):
        expected = expected_best(VALUES[copies], n, REPORT[copies])
        assert expected_best(VALUES, n, REPORT, chances=weights) == pytest.approx(expected)


def test_what_chances_lack_is_never_best():
    values, chances = np.array([0.2, 0.1]), np.array([0.25, 0.25])
    # of two draws: one 0.1 at least 7/16, else 0.2 at least 5/16, else nothing is known
    assert expected_best(values, 2, chances=chances) == pytest.approx((7 * 0.1 + 5 * 0.2) / 12)
    with pytest.raises(UsageError, match="with replacement"):
        expected_best(values, 2, repeats="avoid", chances=chances)


ONE_OBJECTIVE = [name for name in benchmarks.names() if len(benchmarks.load(name).objectives) == 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OBJECTIVE)
def test_the_mean_of_random_search_is_the_exact_expectation_on_every_table(name):
    strategy = "random-search(repeats='allow')"
    grid = Grid(benchmarks.load(name), (strategy,), 100, Protocol(20))
    results = Results(grid, run_grid(grid))
    assert list(results.expectation) == [10, 20]
    for n, expected in results.expectation.items():
        summary = results.summaries[strategy][n]
        assert abs(summary.mean - expected) < 3 * summary.standard_error
