"""Replay: the state that follows from a log's events, kept up to date event by event."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, nan
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import StorageError
from nasturtium.spaces import Space
from nasturtium.trials._events import Asked, Ended, Event, Lost, Measured
from nasturtium.trials._values import (
    INFEASIBLE,
    Fidelity,
    Limit,
    Measurement,
    Objective,
    State,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class Framed(Protocol):
    """The part of a study's setting that deriving losses needs."""

    @property
    def space(self) -> Space:
        """The bound space."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Bounds on measured metrics."""


class Record:
    """The growing account of one trial; ``trial`` gives it as an immutable value."""

    __slots__ = (
        "_sealed", "_trial", "asked", "attempt", "details", "fidelity", "leg_start", "measurements", "predicted", "reason", "state",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.fidelity = asked.fidelity
        self.state = State.PENDING
        self.measurements: list[tuple[Fidelity, Measurement]] = []
        self.leg_start = 0
        self.attempt = 0
        self.reason: str | None = None
        self.details = ""
        self.predicted: dict[str, float] = {}
        self._trial: Trial | None = None
        self._sealed: Trial | None = None

    def changed(self) -> None:
        """Forget the value that was built."""
        self._trial = self._sealed = None

    def trial(self, sealed: bool) -> Trial:
        """Return the trial as a value; ``sealed`` leaves out what no strategy may see."""
        sealed = sealed and any(m.report for _, m in self.measurements)
        built = self._sealed if sealed else self._trial
        if built is None:
            measurements = tuple(m for _, m in self.measurements)
            if sealed:
                measurements = tuple(replace(m, report={}) for m in measurements)
            built = Trial(
                self.asked.number,
                self.asked.proposal,
                self.state,
                self.fidelity,
                measurements,
                self.asked.asked_at,
                self.attempt,
                self.reason,
                self.predicted,
                self.details,
            )
            if sealed:
                self._sealed = built
            else:
                self._trial = built
        return built

    def values(self, at: Fidelity) -> dict[str, float] | None:
        """Return the metrics at a fidelity, with the costs of step 0; None if it was not reached."""
        reached: dict[str, float] | None = None
        costs: dict[str, float] = {}
        for fidelity, m in self.measurements:
            if m.step == 0:
                costs.update(m.metrics)
            if m.step == at.epochs and (fidelity == at or fidelity.at(m.step) == at):
                reached = {**(reached or {}), **m.metrics}
        return None if reached is None else {**costs, **reached}


class Table:
    """The losses of all trials for one list of objectives; rows are filled as trials change."""

    def __init__(self, n_objectives: int) -> None:
        self.rows: NDArray[np.float64] = np.full((16, n_objectives), nan)
        self.at: Fidelity | None = None
        self.dirty: set[int] = set()
        self._n_shown = 0

    def grow(self, n_trials: int) -> None:
        """Make room for that many trials."""
        if n_trials > len(self.rows):
            more = np.full((n_trials, self.rows.shape[1]), nan)
            self.rows = np.concatenate([self.rows, more])
            self._n_shown = 0

    def fill(self, number: int, row: list[float]) -> None:
        """Set a row; what ``view`` has returned stays as it was."""
        if number < self._n_shown:
            self.rows = self.rows.copy()
            self._n_shown = 0
        self.rows[number] = row

    def view(self, n_trials: int) -> NDArray[np.float64]:
        """Return the first rows, read-only."""
        self._n_shown = max(self._n_shown, n_trials)
        view = self.rows[:n_trials]
        view.flags.writeable = False
        return view


class Replay:
    """Derived state after some number of events; ``apply`` takes the next one."""

    def __init__(self, study: Framed) -> None:
        self.study = study
        self.records: list[Record] = []
        self.completed: list[int] = []
        self.n_under_way = 0
        self.top: Fidelity | None = None
        self._tables: dict[tuple[tuple[Objective, ...], Fidelity | None], Table] = {}
        self._seen: set[str] = set()
        self._n_seen = 0

    def apply(self, event: Event) -> None:
        """Take the next event.

        Raises:
            StorageError: The event does not fit what came before.
        """
        if isinstance(event, Asked):
            self._ask(event)
        elif isinstance(event, Measured):
            record = self.records[event.number]
            record.measurements.append((record.fidelity, event.measurement))
            record.state = State.RUNNING
            self._touch(event.number)
        elif isinstance(event, Ended):
            self._end(event)
        elif isinstance(event, Lost):
            record = self.records[event.number]
            del record.measurements[record.leg_start :]
            record.attempt += event.is_crash
            record.state = State.RUNNING if record.leg_start else State.PENDING
            self._touch(event.number)

    def _ask(self, event: Asked) -> None:
        if event.proposal.resume is None:
            if event.number != len(self.records):
                raise StorageError(f"trials are numbered in order, got {event.number} after {len(self.records)}.")
            self.records.append(Record(event))
            self.n_under_way += 1
            return
        record = self.records[event.number]
        record.fidelity = event.fidelity
        record.leg_start = len(record.measurements)
        record.state = State.RUNNING
        self.n_under_way += 1
        self._touch(event.number)

    def _end(self, event: Ended) -> None:
        record = self.records[event.number]
        record.state = event.state
        record.reason = event.reason
        record.details = event.details
        record.predicted = dict(event.predicted)
        self.n_under_way -= 1
        if event.state in (State.FINISHED, State.PAUSED) and record.measurements:
            fidelity, m = record.measurements[-1]
            reached = fidelity.at(m.step)
            if self.top is None or reached.rank > self.top.rank:
                self.top = reached
        if event.state is not State.PAUSED:
            self.completed.append(event.number)
        self._touch(event.number)

    def _touch(self, number: int) -> None:
        self.records[number].changed()
        for table in self._tables.values():
            table.dirty.add(number)

    def seen(self) -> set[str]:
        """Return the identities of all candidates asked for."""
        for record in self.records[self._n_seen :]:
            architecture = record.asked.proposal.architecture
            if architecture is not None:
                self._seen.add(self.study.space.identity(architecture))
        self._n_seen = len(self.records)
        return self._seen

    def losses(self, objectives: Sequence[Objective], at: Fidelity | None) -> NDArray[np.float64]:
        """Return the table of losses; see ``History.losses``."""
        key = (tuple(objectives), at)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table(len(key[0]))
            table.dirty = set(range(len(self.records)))
        wanted = self.top if at is None else at
        if wanted != table.at:  # a higher fidelity was reached: all rows are to be compared there
            table.at = wanted
            table.dirty = set(range(len(self.records)))
        table.grow(len(self.records))
        for number in table.dirty:
            table.fill(number, self._row(self.records[number], key[0], wanted))
        table.dirty.clear()
        return table.view(len(self.records))

    def _row(self, record: Record, objectives: Sequence[Objective], at: Fidelity | None) -> list[float]:
        values = None if at is None or record.state is State.FAILED else record.values(at)
        if values is None:
            return [nan] * len(objectives)
        if self.study.limits:
            violation = sum(x.violation(values.get(x.metric, nan)) for x in self.study.limits)
            if violation != 0:  # NaN if a limited metric was not measured
                return [_finite(INFEASIBLE * (1 + violation))] * len(objectives)
        return [_finite(o.loss(values.get(o.metric, nan))) for o in objectives]


def _finite(loss: float) -> float:
    """Return a loss that can be compared and scaled: what is infinite counts as not measured."""
    return loss if isfinite(loss) else nan
