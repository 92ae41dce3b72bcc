"""A file with a table: CSV or Parquet."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from nasturtium.errors import DataError, MissingExtraError
from nasturtium.tasks._arrays import about
from nasturtium.tasks._sources import TASKS, FileSource
from nasturtium.tasks._table import from_table

if TYPE_CHECKING:
    from nasturtium.tasks._base import Task
    from nasturtium.tasks._goals import Kind

HOW = "save it as UTF-8 with a first line of column names."


@TASKS.register("table-file")
@final
@dataclass(frozen=True)
class TableFile(FileSource):
    """A .csv or .parquet file; one column is to be told from the others.

    Columns are numbers if all their values are, else categories; cells may be empty, but not those
    of the target. The delimiter of a CSV file is the most frequent of comma, semicolon and tab in
    its first line, which holds the columns' names. See ``from_table``.

    Args:
        path: The file.
        target: The column to be told; ``--target`` on the command line.
        kind: ``"classification"`` or ``"regression"``; by default what the column looks like.
        balanced: Whether rare classes weigh as much as frequent ones in the loss; there is
            ``valid_balanced_error`` then, too.
    """

    path: str
    target: str | None = None
    kind: Kind | None = None
    balanced: bool = False

    @classmethod
    def reads(cls, path: Path) -> bool:
        """Return whether the name ends in ``.csv`` or ``.parquet``."""
        return path.is_file() and path.suffix.lower() in (".csv", ".parquet")

    def load(self) -> Task:
        """Return the task."""
        path = Path(self.path)
        with about(self.path):
            table = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
            if self.target is None:
                raise DataError(f"a table needs a target, got none; add --target with one of {', '.join(table)}.")
            return from_table(table, self.target, kind=self.kind, balanced=self.balanced, name=path.stem)


def _csv(path: Path) -> dict[str, list[object]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            rows = [row for row in csv.reader(file, delimiter=max(",;\t", key=head.count)) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"a table must be text ({error}); {HOW}") from error
    if len(rows) < 2:
        raise DataError(f"a table must hold rows below its line of names, got {len(rows)} lines; {HOW}")
    names, *body = rows
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"columns must have different names, got {twice!r} twice; rename one.")
    for number, row in enumerate(body, 1):
        if len(row) != len(names):
            raise DataError(
                f"every row must have a cell per column, got {len(row)} of {len(names)} in row {number}; mend it."
            )
    return {name: list(cells) for name, cells in zip(names, zip(*body, strict=True), strict=True)}


def _parquet(path: Path) -> dict[str, list[object]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise MissingExtraError("Parquet files need pyarrow; pip install 'nasturtium[frame]'.") from error
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as error:
        raise DataError(f"a Parquet file must be readable ({error}); write it anew.") from error
    return {name: table.column(name).to_pylist() for name in table.column_names}
