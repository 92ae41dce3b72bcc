"""What ``bench`` does: read what is compared, run it, print it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from nasturtium import benchmarking
from nasturtium._arguments import n_cores
from nasturtium._files import writable_folder
from nasturtium.benchmarking import Benchmark, Grid, Results, curves, page, read_strategies, run_grid, write_curves
from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from nasturtium.benchmarking import Sheet

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
        drawn = curves(results)
        write_curves(drawn, results.metric, out)
        (out / "report.html").write_text(page(results, drawn), encoding="utf-8")
    return results


def comparison_page(results: Results) -> RenderableType:
    """Return what ``bench`` prints: means with errors at each budget, then regrets, ranks, costs, tests."""
    name = results.grid.benchmark.name
    return Group(*(_table(name, sheet) for sheet in (benchmarking.means(results), benchmarking.facts(results))))


def _table(name: str, sheet: Sheet) -> Table:
    table = Table(title=f"{name}: {sheet.note}")
    for number, head in enumerate(sheet.heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=number > 0, overflow="fold")
    for row in sheet.rows:
        table.add_row(*row)
    return table
