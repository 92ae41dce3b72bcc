"""What ``bench`` does: read what is compared, run it, print it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nasturtium import benchmarking
from nasturtium._arguments import n_cores
from nasturtium._search import writable_folder
from nasturtium.benchmarking import Benchmark, Grid, Results, run_grid
from nasturtium.benchmarking._page import FACT_HEADS, fact_cells, page
from nasturtium.benchmarking._settings import read_strategies
from nasturtium.errors import UsageError
from nasturtium.report._format import value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console, RenderableType

TABLES = (".csv", ".parquet")


def chosen_benchmark(
    name: str, space: str | None, minimize: Sequence[str], maximize: Sequence[str], report: str | None
) -> Benchmark:
    """Return the benchmark of a name, or that of a user's table.

    Raises:
        UsageError: A table lacks its space, or a benchmark is given columns.
    """
    if Path(name).suffix.lower() in TABLES:
        if space is None:
            raise UsageError(f"a table needs the space of its column arch, got none for {name}; add --space NAME.")
        columns = () if report is None else (report,)
        return benchmarking.from_table(name, space=space, minimize=minimize, maximize=maximize, report=columns)
    if space is not None or minimize or maximize or report is not None:
        raise UsageError(
            f"--space, --minimize, --maximize and --report are for tables, got them with {name!r}, whose name says "
            "space and signal; leave them out."
        )
    return benchmarking.load(name)


def chosen_strategies(calls: Sequence[str], grid_file: Path | None) -> tuple[str, ...]:
    """Return the strategies of the command line and of the grid file, each once."""
    return tuple(dict.fromkeys([*calls, *(read_strategies(grid_file) if grid_file else ())]))


def compare(grid: Grid, jobs: int | None, out: Path | None, watch: Callable[[int, int], None]) -> Results:
    """Run a grid, go on with it if the folder holds a part, and write the results.

    Raises:
        UsageError: The folder can't be written, or holds another grid.
    """
    if out is not None:
        out = writable_folder(out)
    results = Results(grid, run_grid(grid, out, processes=jobs or n_cores(), watch=watch))
    if out is not None:
        results.write(out)
        (out / "report.html").write_text(page(results), encoding="utf-8")
    return results


@contextmanager
def progress(console: Console, title: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many runs are over, on a terminal; yields what is to be called with (over, all)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(f"{title}: runs", total=None)
        yield lambda over, total: bar.update(task, completed=over, total=total)


def comparison_page(results: Results) -> RenderableType:
    """Return what ``bench`` prints: means with errors at each budget, ranks, tests."""
    metric, found, facts = results.metric, results.summaries, results.facts
    means = Table(title=f"{results.grid.benchmark.name}: {metric} after n evaluations, mean ± sd (standard error)")
    means.add_column("strategy")
    columns = list(next(iter(found.values())))
    for n in columns:
        means.add_column(str(n), justify="right")
    for strategy, by_budget in found.items():
        cells = [by_budget[n] for n in columns]
        means.add_row(
            strategy,
            *(
                f"{value_text(metric, c.mean)} ± {value_text(metric, c.sd)} ({value_text(metric, c.standard_error)})"
                for c in cells
            ),
        )
    expected = results.expectation
    if expected:
        means.add_row("random draws, exact expectation", *(value_text(metric, expected[n]) for n in columns))
    more = Table(title=f"{results.grid.seeds} seeds, at the end")
    for head in ("strategy", *FACT_HEADS, "less random-search", "p"):
        more.add_column(head, justify="left" if head == "strategy" else "right")
    against = {
        test.b: (-test.difference, test.p) for test in results.comparisons if test.a == results.grid.strategies[0]
    }
    for strategy, fact in facts.items():
        difference, p = against.get(strategy, (0.0, 1.0))
        more.add_row(
            strategy,
            *fact_cells(fact),
            value_text(metric, difference) if strategy in against else "",
            f"{p:.2g}" if strategy in against else "",
        )
    return Group(means, more)
