"""The tabular estimator: measurements that others made, looked up."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.estimators._base import Assignment, Context, Diverged, Estimator
from nasturtium.trials import Fidelity, Measurement, Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture


@final
@dataclass(frozen=True, eq=False)
class Schedule:
    """Trainings of one length, of all rows of a table.

    Args:
        steps: The epochs that were measured, rising; the last is the schedule's length.
        metrics: Values by name, each of shape ``(n_rows, n_steps)``; NaN for what diverged.
        seconds: Cost of each step since the one before, shape ``(n_rows, n_steps)``.
    """

    steps: tuple[int, ...]
    metrics: Mapping[str, NDArray[Any]]
    seconds: NDArray[Any]

    @property
    def epochs(self) -> int:
        """The length in epochs; 0 for values that have none."""
        return self.steps[-1]


@final
@dataclass(frozen=True, eq=False)
class Table:
    """What was measured: one row an architecture.

    Args:
        schedules: From the shortest to the fullest.
        costs: What needs no training, each of shape ``(n_rows,)``.
        reports: What no strategy may see, each of shape ``(n_rows,)``.
        stops: Epochs of the fullest schedule at which a trial may pause, besides its end.
    """

    schedules: tuple[Schedule, ...]
    costs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    reports: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    stops: tuple[int, ...] = ()

    def rungs(self) -> tuple[Rung, ...]:
        """Return the fidelities from the cheapest to the fullest, with mean relative costs."""
        *shorter, full = self.schedules
        whole = float(full.seconds.sum(axis=1).mean())
        found = [
            Rung(Fidelity(s.epochs), float(s.seconds.sum(axis=1).mean()) / whole, continues=False) for s in shorter
        ]
        for epochs in self.stops:
            done = full.seconds[:, : full.steps.index(epochs) + 1]
            is_first = len(found) == len(shorter)
            fidelity = Fidelity(epochs, schedule=full.epochs)
            found.append(Rung(fidelity, float(done.sum(axis=1).mean()) / whole, continues=not (shorter and is_first)))
        return (*found, Rung(Fidelity(full.epochs), continues=not shorter or bool(self.stops)))

    def column(self, name: str) -> NDArray[np.float64]:
        """Return every row's value of a metric at the end of the fullest schedule, a cost or a report.

        Raises:
            UsageError: There is no such column.
        """
        for columns in (self.costs, self.reports):
            if name in columns:
                return columns[name].astype(np.float64)
        if name not in self.schedules[-1].metrics:
            known = sorted({*self.costs, *self.reports, *self.schedules[-1].metrics})
            raise UsageError(f"a table has the columns {', '.join(known)}, got {name!r}; choose one of them.")
        return self.schedules[-1].metrics[name][:, -1].astype(np.float64)


class Tabular(Estimator):
    """Evaluates by looking up; a subclass says in which table, and which row an architecture has.

    Seconds are those of the table, for a simulated clock. Report columns are kept apart: a strategy
    sees neither ``report`` nor ``Measurement.report``.
    """

    is_random: ClassVar[bool] = False
    """Tables answer alike for every seed; one that draws from it sets this to True."""

    @property
    @abstractmethod
    def table(self) -> Table:
        """The measurements; the same object each time, loaded once a process."""

    @abstractmethod
    def row(self, architecture: Architecture) -> int | None:
        """Return the architecture's row; None if it was not measured."""

    @final
    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield costs at step 0, then what was measured up to the fidelity's epochs."""
        table = self.table
        row = self._row(assignment.architecture)
        schedule = _schedule(table, assignment.fidelity)
        epochs = assignment.fidelity.epochs
        note = None
        if assignment.start and context.checkpoints.load(assignment.number) is None:
            note = "the checkpoint is gone, which makes no difference to a table"
        if not assignment.start and schedule.steps[0]:
            yield Measurement(0, {name: float(values[row]) for name, values in table.costs.items()})
        for column, step in enumerate(schedule.steps):
            if step > epochs:
                return
            if 0 < assignment.start >= step:
                continue
            metrics = {name: float(values[row, column]) for name, values in schedule.metrics.items()}
            if any(value != value for value in metrics.values()):
                raise Diverged(f"the table says that it diverged by epoch {step}")
            report: dict[str, float] = {}
            if not step:
                metrics |= {name: float(values[row]) for name, values in table.costs.items()}
            checkpoint = None
            if step == table.schedules[-1].epochs:
                report = {name: float(values[row]) for name, values in table.reports.items()}
            elif step == epochs:  # the leg's end, and the trial may go on
                checkpoint = context.checkpoints.save(b"row %d" % row)
            yield Measurement(step, metrics, float(schedule.seconds[row, column]), report, checkpoint, note=note)
            note = None

    @final
    def _row(self, architecture: Architecture | None) -> int:
        if architecture is None:
            raise UsageError("a table holds single architectures, got the whole space; use another strategy.")
        row = self.row(architecture)
        if row is None:
            raise UsageError(f"the architecture must be in the table, got {architecture.text}; it was not measured.")
        return row

    @final
    def report(self, architecture: Architecture) -> dict[str, float]:
        """Return the report columns of an architecture.

        Raises:
            UsageError: It is not in the table.
        """
        row = self._row(architecture)
        return {name: float(values[row]) for name, values in self.table.reports.items()}

    @final
    def ladder(self) -> tuple[Rung, ...]:
        """Return the schedules and pauses of the table."""
        return self.table.rungs()

    @final
    def metrics(self) -> tuple[str, ...]:
        """Return the metrics of the fullest schedule and the costs."""
        return (*self.table.schedules[-1].metrics, *self.table.costs)


def _schedule(table: Table, fidelity: Fidelity) -> Schedule:
    """Return the schedule that a fidelity asks for.

    Raises:
        UsageError: The table does not have it.
    """
    for schedule in table.schedules:
        is_plain = fidelity.at(schedule.epochs) == Fidelity(schedule.epochs)
        if fidelity.planned == schedule.epochs and is_plain and fidelity.epochs in schedule.steps:
            return schedule
    known = ", ".join(str(rung.fidelity.epochs) for rung in table.rungs())
    raise UsageError(f"the table has the epochs {known}, got {fidelity}; choose one of the ladder.")
