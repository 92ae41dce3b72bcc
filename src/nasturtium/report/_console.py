"""The front as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from nasturtium.report._base import FinalResults, Findings
from nasturtium.report._grid import front_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import History

MOST_ROWS = 20
"""The greatest number of rows of a summary."""


def front_table(history: History, *, final: Sequence[FinalResults] | None = None) -> Table:
    """Return the front as a table to print when a search has ended.

    Args:
        history: The study.
        final: What became of the front's networks, if there was a final training.
    """
    found = Findings(history, {}, tuple(final or ()))
    columns = [column for column in front_columns(found) if column.is_brief]
    n_left_out = len(found.front) - MOST_ROWS
    more = f" (the first {MOST_ROWS} of {len(found.front)})" if n_left_out > 0 else ""
    table = Table(title=f"Pareto front{more}", title_justify="left")
    for column in columns:
        table.add_column(Text(column.title), justify="right" if column.is_number else "left")
    for trial in found.front[:MOST_ROWS]:
        table.add_row(*(Text(column.cell(trial).text) for column in columns))
    if not found.front:
        table.caption = "No trial has finished within the limits."
    return table
