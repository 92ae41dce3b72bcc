"""What a comparison leaves: results.csv, summary.json and the tables they are read from."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.benchmarking._expectation import expected_best
from nasturtium.benchmarking._run import greatest_hypervolume
from nasturtium.benchmarking._statistics import Comparison, Summary, budgets, compared, matrix, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nasturtium.benchmarking._grid import Grid
    from nasturtium.benchmarking._run import Run


@final
@dataclass(frozen=True)
class Results:
    """The runs of a grid, and what they say.

    Args:
        grid: What was compared.
        runs: All of them, by strategy and seed.
    """

    grid: Grid
    runs: Sequence[Run]

    @property
    def is_pareto(self) -> bool:
        """Whether there are several objectives, and runs are judged by hypervolume."""
        return len(self.grid.benchmark.objectives) > 1

    @property
    def judged(self) -> str:
        """The column that strategies are judged by, ``"report"`` or ``"search"``."""
        return "report" if self.grid.benchmark.reports and not self.is_pareto else "search"

    @property
    def metric(self) -> str:
        """What the judged column holds."""
        benchmark = self.grid.benchmark
        if self.is_pareto:
            return "hypervolume"
        return benchmark.reports[0] if self.judged == "report" else benchmark.objectives[0]

    @cached_property
    def optimum(self) -> float:
        """The table's best value of the judged column."""
        benchmark = self.grid.benchmark
        return greatest_hypervolume(benchmark) if self.is_pareto else benchmark.optimum[self.metric]

    def of(self, strategy: str) -> list[Run]:
        """Return the runs of a strategy, by seed."""
        return [run for run in self.runs if run.strategy == strategy]

    def values(self, strategy: str, column: str | None = None) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return a column after each evaluation, shape ``(n_seeds, trials)``; the judged one by default."""
        return matrix(self.of(strategy), column or self.judged, self.grid.protocol.trials)

    def at(self, n: int) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """Return the judged value after n evaluations by strategy, each of shape ``(n_seeds,)``."""
        return {strategy: self.values(strategy)[:, n - 1] for strategy in self.grid.strategies}

    @cached_property
    def summaries(self) -> dict[str, dict[int, Summary]]:
        """The spread over seeds by strategy and number of evaluations."""
        found = {}
        for strategy in self.grid.strategies:
            values = self.values(strategy)
            found[strategy] = {n: Summary.of(values[:, n - 1]) for n in budgets(self.grid.protocol.trials)}
        return found

    @cached_property
    def at_the_end(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """The judged value after the last evaluation, see ``at``."""
        return self.at(self.grid.protocol.trials)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """A paired test of each pair of strategies at the end."""
        return compared(self.at_the_end)

    def ranks(self) -> dict[str, float]:
        """Return the average ranks at the end; 1 is best."""
        sign = -1.0 if self.is_pareto else 1.0
        return ranks({strategy: sign * values for strategy, values in self.at_the_end.items()})

    def shares_of_optimum(self) -> dict[str, float]:
        """Return which share of each strategy's runs ended at the table's best objective, in [0, 1]."""
        benchmark = self.grid.benchmark
        best = self.optimum if self.is_pareto else benchmark.optimum[benchmark.objectives[0]]
        return {
            strategy: float(np.isclose(self.values(strategy, "search")[:, -1], best, rtol=0, atol=1e-9).mean())
            for strategy in self.grid.strategies
        }

    @cached_property
    def expectation(self) -> dict[int, float]:
        """What random draws with repeats reach after n evaluations, exactly.

        Empty where it does not follow from the table: several objectives, trials that end at another
        fidelity, a space whose draws have no known chances.
        """
        benchmark = self.grid.benchmark
        if self.is_pareto or self.grid.protocol.scheduler != "fixed":
            return {}
        chances = benchmark.draw_chances()
        if chances is None:
            return {}
        values, told = (benchmark.estimator.table.column(name) for name in (benchmark.objectives[0], self.metric))
        return {n: expected_best(values, n, told, chances=chances) for n in budgets(self.grid.protocol.trials)}

    @cached_property
    def facts(self) -> dict[str, dict[str, float]]:
        """By strategy: rank, regret, share of optima, distinct architectures, CPU milliseconds a trial, seconds."""
        by_rank, optimum, trials = self.ranks(), self.shares_of_optimum(), self.grid.protocol.trials
        return {
            strategy: {
                "rank": by_rank[strategy],
                "regret": abs(self.summaries[strategy][trials].mean - self.optimum),
                "share_at_optimum": optimum[strategy],
                "distinct": float(np.mean([run.n_distinct for run in self.of(strategy)])),
                "cpu_milliseconds": float(np.mean([run.cpu_milliseconds for run in self.of(strategy)])),
                "simulated_seconds": float(
                    np.mean([run.seconds[-1] if run.seconds else 0.0 for run in self.of(strategy)])
                ),
            }
            for strategy in self.grid.strategies
        }

    def write(self, folder: Path) -> None:
        """Write ``results.csv``, ``summary.json`` and ``statistics.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "results.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["strategy", "seed", "evaluation", "search", "report", "seconds"])
            for run in self.runs:
                rows = zip(run.search, run.report, run.seconds, strict=True)
                writer.writerows([run.strategy, run.seed, n, *row] for n, row in enumerate(rows, start=1))
        summary = {
            strategy: {str(n): each.to_json() for n, each in by_budget.items()}
            for strategy, by_budget in self.summaries.items()
        }
        _write_json(folder / "summary.json", summary)
        statistics = {
            **self.grid.header,
            "seeds": self.grid.seeds,
            "metric": self.metric,
            "optimum": self.optimum,
            "strategies": self.facts,
            "comparisons": [_test_json(test) for test in self.comparisons],
        }
        _write_json(folder / "statistics.json", statistics)


def _test_json(test: Comparison) -> dict[str, Any]:
    names = ("a", "b", "n", "difference", "low", "high", "p")
    values = ((name, getattr(test, name)) for name in names)
    return {name: None if value != value else value for name, value in values}


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
