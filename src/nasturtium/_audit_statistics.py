"""What a cheap estimate is worth, from the errors that both estimates gave: pure numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm, rankdata

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap samples of the architectures."""


@final
@dataclass(frozen=True)
class Interval:
    """A statistic with its 95 % bootstrap interval.

    Args:
        value: Of the sample.
        low: 2.5 % of the resamples are below.
        high: 2.5 % are above.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return such as ``0.74 [0.52, 0.88]``."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return Spearman's rank correlation; NaN where one side is constant.

    Args:
        a: Shape ``(n,)``.
        b: Shape ``(n,)``.

    Example:
        >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 3.0]))
        0.5
    """
    x, y = (ranks - ranks.mean() for ranks in (rankdata(a), rankdata(b)))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return round(float(x @ y) / scale, 12) if scale else float("nan")


def agreement(cheap: NDArray[np.float64], full: NDArray[np.float64]) -> float:
    """Return the mean rank correlation of a cheap estimate with each of the full ones.

    Args:
        cheap: Errors, shape ``(n,)``.
        full: Errors of ``s`` seeds, shape ``(s, n)``.
    """
    return float(np.mean([spearman(cheap, row) for row in full]))


def ceiling(full: NDArray[np.float64]) -> float:
    """Return the mean rank correlation of full estimates with each other: what no estimate can beat.

    Args:
        full: Errors of ``s >= 2`` seeds, shape ``(s, n)``.
    """
    pairs = [spearman(full[i], full[j]) for i in range(len(full)) for j in range(i)]
    return float(np.mean(pairs))


def better_half(full: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns whose mean error is at most the median, shape ``(m,)``.

    Args:
        full: Errors, shape ``(s, n)``.
    """
    mean = full.mean(0)
    return np.flatnonzero(mean <= np.median(mean))


def bootstrap(statistic: Callable[[NDArray[np.intp]], float], columns: NDArray[np.intp], seed: int = 0) -> Interval:
    """Return a statistic with its percentile interval over resampled architectures.

    Args:
        statistic: Of some columns, with repeats.
        columns: Those of the sample.
        seed: Of the resampling.

    Raises:
        UsageError: Fewer than three architectures.

    References:
        Efron 1979, "Bootstrap Methods: Another Look at the Jackknife".
    """
    if len(columns) < 3:
        raise UsageError(f"an interval needs three architectures or more, got {len(columns)}; give more minutes.")
    rng = np.random.default_rng(seed)
    values = [statistic(rng.choice(columns, len(columns))) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(statistic(columns), float(low), float(high))


def expected_best(n: float) -> float:
    """Return by how many deviations the best of n is expected to be better than the mean.

    Args:
        n: Number of independent normal values, at least 1; need not be whole.

    References:
        David & Nagaraja 2003, "Order Statistics", section 3.1.

    Example:
        >>> [round(expected_best(n), 3) for n in (1, 2, 100)]
        [0.0, 0.564, 2.508]
    """
    value, _ = quad(lambda z: z * n * norm.pdf(z) * norm.cdf(z) ** (n - 1), -9, 9)
    return max(0.0, float(value))


def selection_gain(correlation: float, share: float, budget: float) -> float:
    """Return how good a candidate a search finds by an estimate, in deviations of the full one.

    With normal errors, the best of n by an estimate is ``correlation`` times as much better than the
    mean as the best of n itself; the budget pays for ``n = budget / share`` candidates.

    Args:
        correlation: Of the estimate with the full one.
        share: Its cost by that of the full one.
        budget: In full trainings.

    References:
        Cochran 1951, "Improvement by means of selection".

    Example:
        >>> round(selection_gain(0.8, 0.1, 10), 3), round(selection_gain(1.0, 1.0, 10), 3)
        (2.006, 1.539)
    """
    return correlation * expected_best(max(1.0, budget / share))
