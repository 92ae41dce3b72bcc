"""What a grid of runs says: means with their errors, ranks, paired tests, shares of optima."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.benchmarking._run import Run

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@final
@dataclass(frozen=True, slots=True)
class Summary:
    """A sample's mean and spread over seeds.

    Args:
        n: Runs that had a value.
        mean: Their mean.
        sd: Their standard deviation (n - 1).
        quantiles: At ``QUANTILES``.
    """

    n: int
    mean: float
    sd: float
    quantiles: tuple[float, ...]

    @property
    def standard_error(self) -> float:
        """The standard error of the mean."""
        return self.sd / sqrt(self.n) if self.n else nan

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Summary:
        """Summarize values, NaN left out.

        Example:
            >>> Summary.of(np.array([1.0, 2.0, 3.0, nan])).mean
            2.0
        """
        known = values[~np.isnan(values)]
        if not len(known):
            return cls(0, nan, nan, (nan,) * len(QUANTILES))
        sd = float(known.std(ddof=1)) if len(known) > 1 else 0.0
        return cls(len(known), float(known.mean()), sd, tuple(np.quantile(known, QUANTILES).tolist()))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON data; None for what there is not."""
        data = {"n": self.n, "mean": self.mean, "sd": self.sd, "standard_error": self.standard_error}
        data |= {f"q{round(100 * q):02d}": v for q, v in zip(QUANTILES, self.quantiles, strict=True)}
        return {key: None if value != value else value for key, value in data.items()}


def budgets(trials: int) -> list[int]:
    """Return the numbers of evaluations at which results are stated.

    Example:
        >>> budgets(300)
        [10, 20, 50, 100, 200, 300]
    """
    series = [factor * 10**power for power in range(1, 8) for factor in (1, 2, 5)]
    return [n for n in series if n < trials] + [trials]


def matrix(runs: Sequence[Run], column: str, n: int) -> NDArray[np.float64]:
    """Return a column of runs, shape ``(n_runs, n)``; a run that ended early keeps its last value."""
    rows = []
    for run in runs:
        values = list(getattr(run, column)[:n]) or [nan]
        rows.append(values + values[-1:] * (n - len(values)))
    return np.array(rows, dtype=np.float64).reshape(len(runs), n)


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies compared seed by seed.

    Args:
        a: A strategy.
        b: Another.
        n: Seeds that both have a value for.
        difference: Mean of a's value less b's.
        low: Lower end of the difference's 95 % interval.
        high: Its upper end.
        p: Of the Wilcoxon signed-rank test, corrected for all pairs (Holm 1979).
    """

    a: str
    b: str
    n: int
    difference: float
    low: float
    high: float
    p: float


def compared(values: Mapping[str, NDArray[np.float64]]) -> list[Comparison]:
    """Return a paired test of each pair of strategies.

    Args:
        values: A value a seed by strategy, in one order of seeds, each of shape ``(n_seeds,)``.

    References:
        Wilcoxon 1945; Holm 1979, "A Simple Sequentially Rejective Multiple Comparison Procedure".
    """
    from scipy.stats import t, wilcoxon  # half a second to import

    found = []
    for a, b in combinations(values, 2):
        n = min(len(values[a]), len(values[b]))
        gaps = values[a][:n] - values[b][:n]
        gaps = gaps[~np.isnan(gaps)]
        p = float(wilcoxon(gaps).pvalue) if len(gaps) > 1 and gaps.any() else 1.0
        mean = float(gaps.mean()) if len(gaps) else nan
        half = float(t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / sqrt(len(gaps))) if len(gaps) > 1 else nan
        found.append(Comparison(a, b, len(gaps), mean, mean - half, mean + half, p))
    corrected = holm([test.p for test in found])
    return [
        Comparison(test.a, test.b, test.n, test.difference, test.low, test.high, p)
        for test, p in zip(found, corrected, strict=True)
    ]


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for many comparisons by Holm's step-down method.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    corrected = [0.0] * len(p)
    largest = 0.0
    for rank, at in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (len(p) - rank) * p[at]))
        corrected[at] = largest
    return corrected


def ranks(values: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return each strategy's average rank over the seeds that all have; 1 is best, equals share.

    Example:
        >>> ranks({"a": np.array([1.0, 1.0]), "b": np.array([2.0, 1.0])})
        {'a': 1.25, 'b': 1.75}
    """
    from scipy.stats import rankdata

    n = min((len(v) for v in values.values()), default=0)
    table = np.stack([v[:n] for v in values.values()], axis=1) if n else np.empty((0, len(values)))
    table = np.where(np.isnan(table), np.inf, table)
    if not len(table):
        return dict.fromkeys(values, nan)
    return dict(zip(values, rankdata(table, axis=1).mean(axis=0).tolist(), strict=True))
