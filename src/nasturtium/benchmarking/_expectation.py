"""What random search reaches on a table, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.trials import chances_of_best

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_best(
    values: NDArray[np.float64], n: int, report: NDArray[np.float64] | None = None, *, repeats: str = "allow"
) -> float:
    """Return the expected value of the best of ``n`` uniform draws.

    With the rows sorted from worst to best, row i of N is the best of n draws with probability
    (i/N)^n - ((i-1)/N)^n with replacement, and C(i-1, n-1) / C(N, n) without. Rows with equal values
    share their probabilities equally.

    Args:
        values: What decides which is best, smallest first, shape ``(n_rows,)``; NaN is never best.
        n: Number of draws.
        report: What is told of the best, shape ``(n_rows,)``; ``values`` itself by default.
        repeats: ``"allow"`` draws with replacement, ``"avoid"`` without.

    Raises:
        UsageError: ``n`` is less than 1, or more than there are rows without replacement.

    Example:
        >>> values = np.array([3.0, 1.0, 2.0])
        >>> expected_best(values, 1), round(expected_best(values, 2, repeats="avoid"), 4)
        (2.0, 1.3333)
    """
    n_rows = len(values)
    if not 1 <= n <= (n_rows if repeats == "avoid" else n) or repeats not in ("allow", "avoid"):
        raise UsageError(f"n is in [1, {n_rows}] for repeats='avoid', got n={n} and repeats={repeats!r}; change them.")
    told = values if report is None else report
    order = np.argsort(-np.nan_to_num(values, nan=np.inf), kind="stable")
    if repeats == "allow":
        probabilities = np.diff((np.arange(n_rows + 1) / n_rows) ** n)
    else:
        probabilities = chances_of_best(n_rows, n)[::-1]
    _, groups = np.unique(-values[order], return_inverse=True)
    shared = np.bincount(groups, probabilities) / np.bincount(groups)
    known = ~np.isnan(values[order])
    weights = shared[groups][known]
    return float((weights * told[order][known]).sum() / weights.sum())
