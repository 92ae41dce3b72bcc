"""Benchmark: a space and an estimator that needs no training, with what the best is known to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.errors import RequirementError, UsageError, near_matches
from nasturtium.spaces import DecisionSpace, Finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from nasturtium.estimators import Tabular
    from nasturtium.spaces import Space

WALKABLE = 100_000
"""The greatest size of a space that is walked through for the chances of its draws."""


@final
@dataclass(frozen=True, eq=False)
class Benchmark:
    """What methods are compared on.

    Args:
        name: Says the table and the signal, such as ``"nasbench201-cifar10-e12"``.
        space: The search space.
        estimator: Looks measurements up; ``estimator.report(architecture)`` gives what no strategy
            may see.
        objectives: Metrics to be made small; more than one is a Pareto benchmark.
        reports: Report columns, all to be made small.
        optimum: The least value in the table by objective and report.
        reference: The publication.
        seconds: Where the seconds of the simulated clock come from.
        counted: Counts the chance of each row of the table to be what ``space.sample`` draws, where
            these are known and not those of a uniform draw.

    Example:
        >>> from nasturtium import benchmarks
        >>> benchmark = benchmarks.load("nasbench-graph-cora")
        >>> benchmark.objectives, benchmark.reports
        (('valid_error',), ('test_error',))
        >>> architecture = benchmark.space.parse('{"link":"0123","op1":"gcn","op2":"gcn","op3":"gcn","op4":"skip"}')
        >>> round(benchmark.regret("test_error", benchmark.estimator.report(architecture)["test_error"]), 3)
        0.028
    """

    name: str
    space: Space
    estimator: Tabular
    objectives: tuple[str, ...]
    reports: tuple[str, ...]
    optimum: Mapping[str, float]
    reference: str
    seconds: str = "as published"
    counted: Callable[[], NDArray[np.float64]] | None = None

    def regret(self, column: str, value: float) -> float:
        """Return how much worse a value is than the best of the table.

        Raises:
            UsageError: It is neither an objective nor a report.
        """
        if column not in self.optimum:
            raise UsageError(f"unknown column {column!r}; {near_matches(column, self.optimum)}")
        return value - self.optimum[column]

    def values(self, *columns: str) -> NDArray[np.float64]:
        """Return columns for every architecture of the space, in its order.

        Args:
            columns: Objectives (at the highest fidelity), costs or reports.

        Returns:
            Shape ``(space.size, len(columns))``; NaN where the table has no row.

        Raises:
            RequirementError: The space is not finite.
        """
        if not isinstance(self.space, Finite) or not self.space.supports(Finite):
            raise RequirementError(f"only a finite space is walked through, got {type(self.space).__name__}; sample.")
        table = self.estimator.table
        rows = [self.estimator.row(architecture) for architecture in self.space]
        known = np.array([row is not None for row in rows])
        found = np.full((len(rows), len(columns)), np.nan)
        found[known] = np.stack([table.column(c)[[r for r in rows if r is not None]] for c in columns], axis=1)
        return found

    def draw_chances(self) -> NDArray[np.float64] | None:
        """Return the chance of each row of the table to be what ``space.sample`` draws; None if not known.

        Returns:
            Shape ``(n_rows,)``; the sum is less than 1 if architectures are missing in the table.
        """
        if self.counted is not None:
            return self.counted()
        space = self.space
        if not isinstance(space, DecisionSpace) or not space.is_uniform or space.size > WALKABLE:
            return None
        rows = [self.estimator.row(architecture) for architecture in space]
        known = np.array([row for row in rows if row is not None], dtype=np.int64)
        n_rows = len(self.estimator.table.column(self.objectives[0]))
        return np.bincount(known, minlength=n_rows) / len(rows)


def benchmark(
    name: str,
    space: Space,
    estimator: Tabular,
    objectives: tuple[str, ...] = ("valid_error",),
    *,
    reference: str,
    seconds: str = "as published",
    counted: Callable[[], NDArray[np.float64]] | None = None,
) -> Benchmark:
    """Return a benchmark whose reports and optimum are those of the estimator's table."""
    table = estimator.table
    reports = tuple(table.reports)
    optimum = {column: float(np.nanmin(table.column(column))) for column in (*objectives, *reports)}
    return Benchmark(
        name, space, estimator, objectives, reports, MappingProxyType(optimum), reference, seconds, counted
    )


@final
@dataclass(frozen=True)
class Entry:
    """A benchmark in the list.

    Args:
        description: One line.
        reference: The publication.
        make: Makes the benchmark of a name.
    """

    description: str
    reference: str
    make: Callable[[str], Benchmark] = field(repr=False)
