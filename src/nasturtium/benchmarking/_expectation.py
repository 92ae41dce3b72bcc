"""What random search reaches on a table, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.trials import chances_of_best

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_best(
    values: NDArray[np.float64],
    n: int,
    report: NDArray[np.float64] | None = None,
    *,
    repeats: str = "allow",
    chances: NDArray[np.float64] | None = None,
) -> float:
    """Return the expected value of the best of ``n`` draws, uniform ones by default.

    With the rows sorted from worst to best, and q(i) the chance that a draw is row i or a worse one,
    row i is the best of n draws with probability q(i)^n - q(i-1)^n with replacement; of uniform draws
    without, it is so with C(i-1, n-1) / C(N, n) for N rows. Rows with equal values share their
    probabilities by their chances.

    Args:
        values: What decides which is best, smallest first, shape ``(n_rows,)``; NaN is never best.
        n: Number of draws.
        report: What is told of the best, shape ``(n_rows,)``; ``values`` itself by default.
        repeats: ``"allow"`` draws with replacement, ``"avoid"`` without.
        chances: Of each row to be drawn, shape ``(n_rows,)``, with replacement only; what they lack
            to 1 is drawn and not in the table. All are alike by default.

    Raises:
        UsageError: ``n`` is less than 1, or more than there are rows without replacement; chances
            are given without replacement.

    Example:
        >>> values = np.array([3.0, 1.0, 2.0])
        >>> expected_best(values, 1), round(expected_best(values, 2, repeats="avoid"), 4)
        (2.0, 1.3333)
        >>> expected_best(values, 1, chances=np.array([0.5, 0.5, 0.0]))
        2.0
    """
    n_rows = len(values)
    if not 1 <= n <= (n_rows if repeats == "avoid" else n) or repeats not in ("allow", "avoid"):
        raise UsageError(f"n is in [1, {n_rows}] for repeats='avoid', got n={n} and repeats={repeats!r}; change them.")
    if chances is not None and repeats == "avoid":
        raise UsageError("chances are of draws with replacement, got repeats='avoid'; leave one of them out.")
    told = values if report is None else report
    share = np.full(n_rows, 1 / n_rows) if chances is None else chances
    order = np.argsort(-np.nan_to_num(values, nan=np.inf), kind="stable")
    if repeats == "allow":
        below = np.append(1 - share.sum(), 1 - share.sum() + np.cumsum(share[order])).clip(0, 1)
        probabilities = np.diff(below**n)
    else:
        probabilities = chances_of_best(n_rows, n)[::-1]
    _, groups = np.unique(-values[order], return_inverse=True)
    in_group = np.bincount(groups, share[order])
    parts = np.divide(np.bincount(groups, probabilities), in_group, out=np.zeros_like(in_group), where=in_group > 0)
    known = ~np.isnan(values[order])
    weights = (parts[groups] * share[order])[known]
    return float((weights * told[order][known]).sum() / weights.sum())
