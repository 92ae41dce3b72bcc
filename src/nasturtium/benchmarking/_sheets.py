"""The tables of a comparison as text, for the terminal and the report alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.report import value_text

if TYPE_CHECKING:
    from nasturtium.benchmarking._results import Results
    from nasturtium.benchmarking._statistics import Summary

PER_CENT = " %"
"""What stands behind a share."""


@final
@dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        heads: Of the columns, the first of which names the row.
        rows: Cells by row.
        note: What the columns hold.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def means(results: Results) -> Sheet:
    """Return what each strategy had found after so many evaluations, and what is best and expected."""
    metric, found = results.metric, results.summaries
    columns = list(next(iter(found.values())))
    rows = [(strategy, *(_mean(metric, each[n]) for n in columns)) for strategy, each in found.items()]
    expected = results.expectation
    if expected:
        rows.append(("random draws, exact expectation", *(value_text(metric, expected[n]) for n in columns)))
    rows.append(("optimum of the table", *(value_text(metric, results.optimum) for _ in columns)))
    note = f"{metric} after n evaluations, mean ± sd (standard error) over {results.grid.seeds} seeds"
    return Sheet(("strategy", *map(str, columns)), tuple(rows), note)


def facts(results: Results) -> Sheet:
    """Return ranks, regrets, optima, costs, and the difference from random search, at the end."""
    metric = results.metric
    against = {t.b: t for t in results.comparisons if t.a == results.grid.strategies[0]}
    rows = []
    for strategy, fact in results.facts.items():
        test = against.get(strategy)
        compared = ("", "") if test is None else (value_text(metric, 0.0 - test.difference), f"{test.p:.2g}")
        rows.append(
            (
                strategy,
                value_text(metric, fact["regret"]),
                f"{fact['rank']:.2f}",
                f"{100 * fact['share_at_optimum']:.1f} %",
                f"{fact['distinct']:.1f}",
                f"{fact['cpu_milliseconds']:.2f}",
                f"{fact['simulated_seconds']:.0f}",
                *compared,
            )
        )
    heads = ("regret", "average rank", "at optimum", "distinct", "CPU ms a trial", "simulated s")
    signal = (
        "the table's whole front" if results.is_pareto else f"the table's least {results.grid.benchmark.objectives[0]}"
    )
    note = f"at the end, means over {results.grid.seeds} seeds; at optimum: the share of runs that found {signal}"
    return Sheet(("strategy", *heads, "minus random search", "p"), tuple(rows), note)


def tests(results: Results) -> Sheet:
    """Return the paired test of each pair of strategies."""
    metric = results.metric
    rows = tuple(
        (
            f"{test.a} minus {test.b}",
            value_text(metric, test.difference),
            f"{value_text(metric, test.low)} to {value_text(metric, test.high)}",
            f"{test.p:.2g}",
        )
        for test in results.comparisons
    )
    note = "Paired by seed at the last evaluation; Wilcoxon signed-rank, corrected for all pairs by Holm's method."
    return Sheet(("pair", "mean difference", "95 % interval", "p"), rows, note)


def _mean(metric: str, summary: Summary) -> str:
    """Return mean, sd and standard error, with their unit once."""
    texts = [value_text(metric, value) for value in (summary.mean, summary.sd, summary.standard_error)]
    mean, sd, se = (text.removesuffix(PER_CENT) for text in texts)
    return f"{mean} ± {sd} ({se}){PER_CENT if texts[0].endswith(PER_CENT) else ''}"
