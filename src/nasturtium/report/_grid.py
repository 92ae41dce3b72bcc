"""Tables, independent of where they are shown: the page and the terminal make theirs from these."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, final

from nasturtium.report._base import Findings, is_finite, values_of
from nasturtium.report._format import NOTHING, interval_text, percent, title_of, value_text
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nasturtium.trials import Trial


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """One entry.

    Args:
        text: What is read.
        value: What a column of numbers is sorted by; NaN sorts last.
    """

    text: str
    value: float = nan


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        title: Its heading.
        cell: Makes a trial's entry.
        is_number: Whether it is aligned to the right and sorted by value.
        is_brief: Whether it is in the short form for terminals too.
    """

    title: str
    cell: Callable[[Trial], Cell]
    is_number: bool = False
    is_brief: bool = True


def metric_column(metric: str, *, is_brief: bool = True) -> Column:
    """Return the column of a metric's latest value."""

    def cell(trial: Trial) -> Cell:
        value = values_of(trial).get(metric, nan)
        return Cell(value_text(metric, value), value)

    return Column(title_of(metric), cell, is_number=True, is_brief=is_brief)


def number_column() -> Column:
    """Return the column of the trials' numbers."""
    return Column("trial", lambda t: Cell(str(t.number), float(t.number)), is_number=True)


def key_column() -> Column:
    """Return the column of the architectures' keys."""

    def cell(trial: Trial) -> Cell:
        return Cell("whole space" if trial.architecture is None else trial.architecture.key)

    return Column("architecture key", cell, is_brief=False)


def front_columns(found: Findings) -> list[Column]:
    """Return the columns of the table of the front."""
    metrics = [o.metric for o in found.objectives]
    known = {metric for trial in found.front for metric in values_of(trial)}
    costs = [cost for cost in ("params", "flops") if cost in known and cost not in metrics]
    columns = [number_column(), *(metric_column(metric) for metric in metrics)]
    columns += [metric_column(cost, is_brief=cost == "params") for cost in costs]
    if found.final:
        columns += _final_columns(found)
    else:
        columns.append(Column("epochs", lambda t: Cell(str(t.step), float(t.step)), is_number=True))
    return [*columns, key_column()]


def _final_columns(found: Findings) -> list[Column]:
    results = found.by_trial

    def test_error(trial: Trial) -> Cell:
        value = results[trial.number].test_error if trial.number in results else nan
        return Cell(percent(value), value)

    def interval(trial: Trial) -> Cell:
        entry = results.get(trial.number)
        low, high = entry.interval if entry else (nan, nan)
        return Cell(interval_text(low, high), low)

    def weights(trial: Trial) -> Cell:
        entry = results.get(trial.number)
        return Cell(entry.weights if entry else NOTHING)

    def epochs(trial: Trial) -> Cell:
        n_epochs = results[trial.number].epochs if trial.number in results else trial.step
        return Cell(str(n_epochs), float(n_epochs))

    def folder(trial: Trial) -> Cell:
        entry = results.get(trial.number)
        return Cell((entry.folder if entry else "") or NOTHING)

    return [
        Column("test error", test_error, is_number=True),
        Column("95 % interval", interval, is_number=True),
        Column("weights", weights),
        Column("epochs", epochs, is_number=True, is_brief=False),
        Column("folder", folder, is_brief=False),
    ]


def html_table(columns: Sequence[Column], trials: Iterable[Trial], *, row_id: str, caption: str) -> Markup:
    """Return a table that the page's script makes sortable.

    Args:
        columns: Its columns.
        trials: Its rows.
        row_id: What a row's ``id`` begins with; the trial's number follows.
        caption: What it is, for those who can't see it.
    """
    head = join(element("th", c.title, scope="col", class_="number" if c.is_number else None) for c in columns)
    rows = []
    for trial in trials:
        cells = join(_html_cell(column, column.cell(trial)) for column in columns)
        rows.append(element("tr", cells, id=f"{row_id}-{trial.number}"))
    return _scrolling(
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", join(rows)),
        class_="sortable",
    )


def _html_cell(column: Column, cell: Cell) -> Markup:
    if not column.is_number:
        return element("td", cell.text)
    value = repr(cell.value) if is_finite(cell.value) else ""
    return element("td", cell.text, class_="number", data_value=value)


def plain_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a small table that is read as it stands."""
    head = element("tr", join(element("th", title, scope="col") for title in titles))
    body = join(element("tr", join(element("td", cell) for cell in row)) for row in rows)
    return _scrolling(element("thead", head), element("tbody", body), class_="facts")


def facts_table(facts: Mapping[str, object]) -> Markup:
    """Return a table of named facts."""
    rows = (element("tr", element("th", name, scope="row"), element("td", value)) for name, value in facts.items())
    return _scrolling(element("tbody", join(rows)), class_="facts")


def _scrolling(*parts: Markup, class_: str) -> Markup:
    """Return a table that scrolls sideways where the page is narrow."""
    return element("div", element("table", *parts, class_=class_), class_="scroll", tabindex="0")
