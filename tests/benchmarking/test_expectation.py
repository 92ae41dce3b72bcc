"""The exact expectation of random search."""

from itertools import combinations, product

import numpy as np
import pytest

from nasturtium.benchmarking import expected_best, table
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
