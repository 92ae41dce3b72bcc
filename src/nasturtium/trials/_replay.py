"""Replay: the state that follows from a log's events, kept up to date event by event."""

from __future__ import annotations

from array import array
from dataclasses import replace
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nasturtium.errors import StorageError
from nasturtium.trials._events import Asked, Ended, Event, Lost, Measured
from nasturtium.trials._values import (
    INFEASIBLE,
    Fidelity,
    Limit,
    Measurement,
    Objective,
    Rung,
    State,
    Trial,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.spaces import Space


class Framed(Protocol):
    """The part of a study's setting that deriving losses needs."""

    @property
    def space(self) -> Space:
        """The bound space."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Bounds on measured metrics."""

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The estimator's rungs, from the cheapest to the fullest."""


class Record:
    """The growing account of one trial; ``trial`` gives it as an immutable value."""

    __slots__ = (
        "_sealed", "_trial", "asked", "attempt", "ended", "fidelity", "kept", "measurements", "state",
    )  # fmt: skip

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.fidelity = asked.fidelity
        self.state = State.PENDING
        self.measurements: list[tuple[Fidelity, Measurement]] = []
        self.kept = 0  # measurements that a crash can't void: legs that ended, steps with a checkpoint
        self.attempt = 0
        self.ended: Ended | None = None
        self._trial: Trial | None = None
        self._sealed: Trial | None = None

    def changed(self) -> None:
        """Forget the value that was built."""
        self._trial = self._sealed = None

    def lose(self, *, is_crash: bool) -> None:
        """Void what came after the last checkpoint; progress since the last loss starts the count anew."""
        kept = self.kept
        for i in range(len(self.measurements) - 1, kept - 1, -1):
            if self.measurements[i][1].checkpoint is not None:
                kept = i + 1
                break
        if kept > self.kept:
            self.attempt = 0
        self.kept = kept
        del self.measurements[kept:]
        self.attempt += is_crash
        self.state = State.RUNNING if kept else State.PENDING

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be measured."""
        return self.ended is not None and self.state is self.ended.state is not State.PAUSED

    @property
    def reached(self) -> Fidelity | None:
        """The fidelity of the last measurement."""
        if not self.measurements:
            return None
        fidelity, m = self.measurements[-1]
        return fidelity.at(m.step) if m.step <= fidelity.planned else fidelity

    @property
    def epochs(self) -> int:
        """Epochs trained: where a leg started anew, both count."""
        steps = [m.step for _, m in self.measurements]
        return sum(step for step, after in zip(steps, [*steps[1:], 0], strict=False) if after < step)

    def trial(self, sealed: bool) -> Trial:
        """Return the trial as a value; ``sealed`` leaves out what no strategy may see."""
        built = self._sealed if sealed else self._trial
        if built is not None:
            return built
        measurements = tuple([m for _, m in self.measurements])
        ended = self.ended
        if sealed and [m for m in measurements if m.report]:
            measurements = tuple(replace(m, report={}) for m in measurements)
        elif sealed and ended is None:  # nothing to hide: one value serves both
            self._sealed = self.trial(sealed=False)
            return self._sealed
        built = Trial(
            self.asked.number,
            self.asked.proposal,
            self.state,
            self.fidelity,
            measurements,
            self.asked.asked_at,
            self.attempt,
            None if ended is None else ended.reason,
            {} if ended is None else ended.predicted,
            "" if ended is None else ended.details,
            self.reached,
            None if ended is None or sealed else ended.at,
        )
        if sealed:
            self._sealed = built
        else:
            self._trial = built
        return built

    def values(self, at: Fidelity | None) -> dict[str, float]:
        """Return the costs of step 0, which hold at every fidelity, and what was measured at one."""
        costs: dict[str, float] = {}
        reached: dict[str, float] = {}
        for fidelity, m in self.measurements:
            if m.step == 0:
                costs.update(m.metrics)
            if at is not None and m.step == at.epochs and (fidelity is at or fidelity == at or fidelity.continues(at)):
                reached.update(m.metrics)
        if self.state is State.STOPPED and self.ended is not None:
            costs.update(self.ended.predicted)
        return {**costs, **reached}


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
        self.completed = array("q")  # numbers; its slices turn into indices of NumPy without a loop
        self.n_settled = 0  # trials that are over before the first that is not, by number
        self.n_under_way = 0
        self.has_checkpoints = False
        self.n_epochs = 0
        self.top: Fidelity | None = None
        self._level: tuple[int, int] | None = None
        self._epochs: list[int] = []
        self._tables: dict[tuple[tuple[Objective, ...], Fidelity | None], Table] = {}
        self._looked_at: tuple[tuple[Objective, ...], Fidelity | None, Table] | None = None
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
            self.has_checkpoints = self.has_checkpoints or event.measurement.checkpoint is not None
            self._touch(event.number)
        elif isinstance(event, Ended):
            self._end(event)
        elif isinstance(event, Lost):
            self.records[event.number].lose(is_crash=event.is_crash)
            self._touch(event.number)

    def _ask(self, event: Asked) -> None:
        self.n_under_way += 1
        if event.proposal.resume is None:
            if event.number != len(self.records):
                raise StorageError(f"trials are numbered in order, got {event.number} after {len(self.records)}.")
            self.records.append(Record(event))
            self._epochs.append(0)
            return
        record = self.records[event.number]
        record.fidelity = event.fidelity
        record.kept = len(record.measurements)
        record.attempt = 0
        record.state = State.RUNNING
        self._touch(event.number)

    def _end(self, event: Ended) -> None:
        record = self.records[event.number]
        self.n_under_way -= record.state is not State.PAUSED  # a paused trial may be ended too
        record.state = event.state
        record.ended = event
        if event.state in (State.FINISHED, State.PAUSED) and record.asked.proposal.architecture is not None:
            self._reach(record.reached)
        if event.state is not State.PAUSED:
            self.completed.append(event.number)
            while self.n_settled < len(self.records) and self.records[self.n_settled].is_over:
                self.n_settled += 1
        self._touch(event.number)

    def _reach(self, fidelity: Fidelity | None) -> None:
        """Note that a trial's leg ended there, if that is a place to compare trials at.

        A rung of the ladder is one, and what covers the highest rung; anything else is not
        comparable with the rungs.
        """
        if fidelity is None or fidelity is self.top:
            return
        level = next((i for i, rung in enumerate(self.study.ladder) if rung.fidelity == fidelity), -1)
        if level < 0:
            if not fidelity.covers(self.study.ladder[-1].fidelity):
                return
            level = len(self.study.ladder)
        if self._level is None or (level, fidelity.epochs) > self._level:
            self._level = (level, fidelity.epochs)
            self.top = fidelity

    def _touch(self, number: int) -> None:
        record = self.records[number]
        record.changed()
        if self._epochs[number] or (record.measurements and record.measurements[-1][1].step):
            self.n_epochs += record.epochs - self._epochs[number]
            self._epochs[number] = record.epochs
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

    def losses(self, objectives: tuple[Objective, ...], at: Fidelity | None) -> NDArray[np.float64]:
        """Return the table of losses; see ``History.losses``."""
        table = self._table(objectives, at)
        wanted = self.top if at is None else at
        if wanted is not table.at and wanted != table.at:  # all rows are to be compared there
            table.at = wanted
            table.dirty = set(range(len(self.records)))
        table.grow(len(self.records))
        for number in table.dirty:
            record = self.records[number]
            is_void = record.state is State.FAILED and at is None  # a failure leaves its lower rungs
            table.fill(number, [nan] * len(objectives) if is_void else self._row(record, objectives, wanted))
        table.dirty.clear()
        return table.view(len(self.records))

    def _table(self, objectives: tuple[Objective, ...], at: Fidelity | None) -> Table:
        """Return the table for these objectives; most often it is the one that was looked at last."""
        last = self._looked_at
        if last is not None and last[0] is objectives and last[1] is at:
            return last[2]
        table = self._tables.get((objectives, at))
        if table is None:
            table = self._tables[objectives, at] = Table(len(objectives))
            table.dirty = set(range(len(self.records)))
        self._looked_at = (objectives, at, table)
        return table

    def _row(self, record: Record, objectives: tuple[Objective, ...], at: Fidelity | None) -> list[float]:
        if record.asked.proposal.architecture is None:
            return [nan] * len(objectives)
        values = record.values(at)
        losses = [_finite(o.loss(values.get(o.metric, nan))) for o in objectives]
        if self.study.limits:
            violation = sum(x.violation(values.get(x.metric, nan)) for x in self.study.limits)
            if violation != 0 and not isnan(losses[0]):  # NaN if a limited metric was not measured
                return [_finite(INFEASIBLE * (1 + violation))] * len(objectives)
        return losses


def _finite(loss: float) -> float:
    """Return a loss that can be compared and scaled: what is infinite counts as not measured."""
    return loss if isfinite(loss) else nan
