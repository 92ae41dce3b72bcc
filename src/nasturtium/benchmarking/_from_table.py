"""A user's own table as a benchmark."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, benchmark
from nasturtium.errors import MissingExtraError, UsageError, near_matches
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import SPACES, Architecture, Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

MISSING = ("fail", "worst")


def from_table(
    path: str | PathLike[str],
    *,
    space: Space | str,
    minimize: str | Sequence[str] = (),
    maximize: str | Sequence[str] = (),
    report: str | Sequence[str] = (),
    seconds: str | None = None,
    missing: str = "fail",
) -> Benchmark:
    """Return the benchmark of a CSV or Parquet file with one row an architecture.

    The column ``arch`` holds architectures in the space's own text form. Every objective is made
    small: a column to be made large that is an accuracy (its name has ``acc``; per cent if a value
    exceeds 1) becomes an error in [0, 1], so that ``val_acc`` is the metric ``valid_error``; any other
    is negated and called ``negative_...``. Report columns are treated like the first objective, and no
    strategy sees them. Columns that are not named here are not used.

    Args:
        path: The file.
        space: The space, its name or its call.
        minimize: Columns to be made small.
        maximize: Columns to be made large.
        report: Columns that are told of the best, and hidden from strategies.
        seconds: Column with what an evaluation takes on the clock; one second each by default.
        missing: What becomes of an architecture that is not in the table: ``"fail"``, its trial fails
            and counts, or ``"worst"``, it has the worst value of every column.

    Raises:
        UsageError: The file, a column, an architecture or a value is not as said above.
        MissingExtraError: Parquet needs the extra ``frame``.
    """
    file = Path(path)
    bound = space if isinstance(space, Space) else SPACES.create(space)
    estimator = UserTable(
        str(file),
        _digest(file),
        bound,
        _names(minimize),
        _names(maximize),
        _names(report),
        seconds,
        missing,
    )
    known = "one second an evaluation" if seconds is None else f"column {seconds!r} of the table"
    objectives = tuple(estimator.table.schedules[0].metrics)
    return benchmark(file.name, bound, estimator, objectives, reference=str(file), seconds=known)


@final
@ESTIMATORS.register("table", is_listed=False)
@dataclass(frozen=True)
class UserTable(Tabular):
    """Looks up a user's table; see ``from_table``.

    Args:
        path: The file.
        digest: Of its content when it was first read.
        space: The space of the column ``arch``.
        minimize: Columns to be made small.
        maximize: Columns to be made large.
        reports: Columns that no strategy sees.
        seconds: Column with the seconds, or None.
        missing: ``"fail"`` or ``"worst"``.
    """

    path: str
    digest: str
    space: Space
    minimize: tuple[str, ...]
    maximize: tuple[str, ...]
    reports: tuple[str, ...]
    seconds: str | None
    missing: str

    def __post_init__(self) -> None:
        """Check the names."""
        signals = (*self.minimize, *self.maximize)
        if not signals:
            raise UsageError("a benchmark has an objective, got none; give minimize= or maximize= a column.")
        twice = [name for name in signals if signals.count(name) > 1 or name in self.reports]
        if twice:
            raise UsageError(f"a column is one objective or a report, got {twice[0]!r} as two of them; name it once.")
        if self.missing not in MISSING:
            raise UsageError(f"missing is one of {', '.join(MISSING)}, got {self.missing!r}; choose one of them.")

    @property
    def table(self) -> Table:
        """The objectives, reports and seconds."""
        return self._loaded[0]

    def row(self, architecture: Architecture) -> int | None:
        """Return the architecture's row, the one with the worst values, or None."""
        table, rows = self._loaded
        worst = len(table.schedules[0].seconds) - 1 if self.missing == "worst" else None
        return rows.get(architecture.text, worst)

    @cached_property
    def _loaded(self) -> tuple[Table, Mapping[str, int]]:
        if _digest(Path(self.path)) != self.digest:
            raise UsageError(f"a table stays as it was, got another {self.path}; restore it, or begin anew.")
        columns = _read(Path(self.path))
        rows = _rows(self.path, _column(self.path, columns, "arch"), self.space)
        of_first = bool(self.maximize) and not self.minimize
        signals = dict(
            [_loss(name, self._numbers(columns, name), is_large_good=False) for name in self.minimize]
            + [_loss(name, self._numbers(columns, name), is_large_good=True) for name in self.maximize]
        )
        reports = dict(_loss(name, self._numbers(columns, name), is_large_good=of_first) for name in self.reports)
        seconds = np.ones(len(rows)) if self.seconds is None else self._numbers(columns, self.seconds)
        if self.missing == "worst":
            signals, reports, times = (_with_worst(each) for each in (signals, reports, {"seconds": seconds}))
            seconds = times["seconds"]
        schedule = Schedule((0,), {name: values[:, None] for name, values in signals.items()}, seconds[:, None])
        return Table((schedule,), reports=reports), rows

    def _numbers(self, columns: Mapping[str, Sequence[Any]], name: str) -> NDArray[np.float64]:
        """Return a column's numbers.

        Raises:
            UsageError: It is missing or has something else.
        """
        values = _column(self.path, columns, name)
        numbers = np.empty(len(values))
        for row, value in enumerate(values):
            try:
                numbers[row] = float(value)
            except (TypeError, ValueError):
                numbers[row] = np.nan
            if not np.isfinite(numbers[row]):
                raise UsageError(
                    f"column {name!r} of {self.path} has finite numbers, got {value!r} in row {row + 1}; drop the row."
                )
        return numbers


def _digest(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"a table is a CSV or Parquet file, got {str(path)!r}, which is none; check the path.")
    return sha256(path.read_bytes()).hexdigest()[:16]


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _read(path: Path) -> Mapping[str, Sequence[Any]]:
    """Return the columns of a file, those of CSV as text."""
    if path.suffix == ".parquet":
        try:
            import pandas

            frame = pandas.read_parquet(path)
        except ImportError as error:
            raise MissingExtraError(
                f"Parquet needs pandas and pyarrow, got {error}; install nasturtium[frame], or write CSV."
            ) from error
        return {str(name): frame[name].tolist() for name in frame.columns}
    with path.open(newline="", encoding="utf-8-sig") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
    wrong = next((number for number, row in enumerate(rows, start=1) if len(row) != len(header)), None)
    if wrong is not None:
        raise UsageError(
            f"rows of {path} have {len(header)} values like the header, got {len(rows[wrong - 1])} in row {wrong}; "
            "quote texts with commas."
        )
    return dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {name: () for name in header}


def _column(path: str, columns: Mapping[str, Sequence[Any]], name: str) -> Sequence[Any]:
    if name not in columns:
        raise UsageError(f"{path} has no column {name!r}; {near_matches(name, columns)}")
    if not len(columns[name]):
        raise UsageError(f"a table has rows, got none in {path}; write one an architecture.")
    return columns[name]


def _rows(path: str, texts: Sequence[Any], space: Space) -> dict[str, int]:
    """Return each architecture's row.

    Raises:
        UsageError: A text is not of the space, or two rows have the same architecture.
    """
    rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        try:
            key = space.parse(str(text)).text
        except UsageError as error:
            raise UsageError(
                f"column 'arch' of {path} has architectures of {type(space).__name__}, got {text!r} in row {row + 1} "
                f"({error}); mend the row or give another space."
            ) from error
        if key in rows:
            raise UsageError(
                f"an architecture has one row, got rows {rows[key] + 1} and {row + 1} of {path} for {text}."
            )
        rows[key] = row
    return rows


def _loss(name: str, values: NDArray[np.float64], *, is_large_good: bool) -> tuple[str, NDArray[np.float64]]:
    """Return a column as something to be made small, and what it is called.

    Example:
        >>> _loss("val_acc", np.array([50.0, 75.0]), is_large_good=True)
        ('valid_error', array([0.5 , 0.25]))
        >>> _loss("reward", np.array([1.0]), is_large_good=True)
        ('negative_reward', array([-1.]))
    """
    if not is_large_good:
        return name, values
    if "acc" not in name.lower():
        return f"negative_{name}", -values
    error = re.sub(r"acc(uracy)?", "error", name, flags=re.IGNORECASE)
    return re.sub(r"^val(idation)?(?=_)", "valid", error), 1 - (values / 100 if values.max() > 1 else values)


def _with_worst(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return columns with one more row, which has the greatest values."""
    return {name: np.append(values, values.max()) for name, values in columns.items()}
