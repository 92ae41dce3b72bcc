"""The values that pass between strategy, engine and estimator: all immutable, all JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, final

from nasturtium._registry import tuples
from nasturtium.errors import UsageError
from nasturtium.graphs import EDITS, Edit
from nasturtium.spaces import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@final
@dataclass(frozen=True, slots=True)
class Fidelity:
    """How much of one trial is spent: a target and the schedule that it belongs to.

    Args:
        epochs: The step at which a leg ends; 0 means that nothing is trained.
        schedule: Length in epochs that learning rates are planned for; None means ``epochs``.
        fraction: Share of the training data, in (0, 1].
        resolution: Factor on height and width, in (0, 1].
        width: Factor on the channels, in (0, 1].
        cells: Number of cells where it differs from the space's, else None.

    Example:
        >>> quarter = Fidelity(epochs=2, fraction=0.25)
        >>> Fidelity(epochs=4).covers(quarter), Fidelity(epochs=4).continues(quarter)
        (True, False)
        >>> Fidelity(epochs=8, schedule=16).continues(Fidelity(epochs=4, schedule=16))
        True
    """

    epochs: int = 0
    schedule: int | None = None
    fraction: float = 1.0
    resolution: float = 1.0
    width: float = 1.0
    cells: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        shares = (self.fraction, self.resolution, self.width)
        if self.epochs < 0 or not all(0 < share <= 1 for share in shares):
            raise UsageError(f"epochs is at least 0 and fraction, resolution, width are in (0, 1], got {self}.")
        if self.cells is not None and self.cells < 1:
            raise UsageError(f"a network has at least one cell, got {self}; raise cells.")
        if self.schedule is not None and self.schedule < self.epochs:
            raise UsageError(f"a schedule is at least as long as its epochs, got {self}; raise schedule.")
        if self.schedule == self.epochs:  # one spelling, so that equal fidelities are equal
            object.__setattr__(self, "schedule", None)

    @property
    def planned(self) -> int:
        """The length of the schedule in epochs."""
        return self.epochs if self.schedule is None else self.schedule

    @property
    def is_whole(self) -> bool:
        """Whether the whole network is trained, on images of full size, and no smaller stand-in."""
        return (self.resolution, self.width, self.cells) == (1.0, 1.0, None)

    def at(self, epochs: int) -> Fidelity:
        """Return the fidelity of the same training at another epoch."""
        if epochs == self.epochs:
            return self
        return replace(self, epochs=epochs, schedule=max(epochs, self.planned))

    @property
    def _parts(self) -> tuple[float, ...]:
        return (self.fraction, self.resolution, self.width, inf if self.cells is None else self.cells, self.epochs)

    def covers(self, other: Fidelity) -> bool:
        """Return whether this is nowhere less than another: not in data, image, network or epochs."""
        return self is other or all([mine >= its for mine, its in zip(self._parts, other._parts, strict=True)])

    def continues(self, other: Fidelity) -> bool:
        """Return whether a training at another fidelity goes on to this one, along one schedule."""
        return self.epochs >= other.epochs and self.at(other.epochs) == other

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fidelity:
        """Return the fidelity that ``to_json`` wrote."""
        return cls(**data)


@final
@dataclass(frozen=True, slots=True)
class Rung:
    """One step of an estimator's ladder.

    Args:
        fidelity: What is spent.
        cost: Relative to the highest rung, in (0, 1].
        continues: Whether a trial paused at the rung below goes on here; else it starts anew.
    """

    fidelity: Fidelity
    cost: float = 1.0
    continues: bool = True

    def to_json(self) -> list[Any]:
        """Return the fields as JSON data."""
        return [self.fidelity.to_json(), self.cost, self.continues]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Rung:
        """Return the rung that ``to_json`` wrote."""
        return cls(Fidelity.from_json(data[0]), data[1], data[2])


_NUMBERS = (float, int)


@final
@dataclass(frozen=True, slots=True)
class Measurement:
    """What an estimator learned about a candidate at one step.

    Args:
        step: Epochs done; 0 carries every cost that needs no training.
        metrics: Values by name; errors are fractions in [0, 1].
        seconds: What this step costs on the clock that the estimator charges.
        report: Values that no strategy may see: ``test_*`` and a table's report columns.
        checkpoint: Reference of the state at this step, durable before this is yielded.
        architecture: The architecture that a whole-space trial has derived, if any.
        note: What the report should say of it, such as that a checkpoint was missing.
        cpu_seconds: Processor time of this step, where an estimator measures it.

    Example:
        >>> found = Measurement(4, {"valid_error": 0.1, "test_error": 0.2}, seconds=1.5)
        >>> found.metrics, found.report
        ({'valid_error': 0.1}, {'test_error': 0.2})
    """

    step: int
    metrics: Mapping[str, float]
    seconds: float = 0.0
    report: Mapping[str, float] = field(default_factory=dict)
    checkpoint: str | None = None
    architecture: Architecture | None = None
    note: str | None = None
    cpu_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Copy the metrics as plain numbers, and move those named ``test_*`` to the report."""
        plain: dict[str, float] = {}
        hidden: dict[str, float] = {}
        for name, value in self.metrics.items():
            (hidden if name.startswith("test_") else plain)[name] = value if type(value) in _NUMBERS else float(value)
        object.__setattr__(self, "metrics", plain)
        if hidden:
            object.__setattr__(self, "report", {**self.report, **hidden})


@final
@dataclass(frozen=True, slots=True)
class Proposal:
    """What a strategy asks to be evaluated.

    Args:
        architecture: The candidate, or None for the whole space (one-shot).
        parents: Numbers of the trials it came from; the first donates weights.
        edits: What leads from the first parent to it.
        fidelity: What to spend; None leaves it to the scheduler.
        resume: A paused trial's number to go on with instead of a new trial.
        replicate: Another number is another training seed for the same architecture.
        attributes: Small JSON data, read only by the class that wrote it and by the report.
    """

    architecture: Architecture | None
    parents: tuple[int, ...] = ()
    edits: tuple[Edit, ...] = ()
    fidelity: Fidelity | None = None
    resume: int | None = None
    replicate: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring the attributes into the form that they have after a round trip through the log."""
        if self.attributes:
            object.__setattr__(self, "attributes", tuples(json.loads(json.dumps(self.attributes))))

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults."""
        data: dict[str, Any] = {}
        if self.architecture is not None:
            data["architecture"] = self.architecture.to_json()
        if self.edits:
            data["edits"] = [EDITS.describe(edit) for edit in self.edits]
        if self.fidelity is not None:
            data["fidelity"] = self.fidelity.to_json()
        for name in ("parents", "resume", "replicate", "attributes"):
            value = getattr(self, name)
            if value not in ((), None, 0, {}) or (name == "resume" and value == 0):
                data[name] = value
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Proposal:
        """Return the proposal that ``to_json`` wrote."""
        architecture = data.get("architecture")
        fidelity = data.get("fidelity")
        return cls(
            architecture=None if architecture is None else Architecture.from_json(architecture),
            parents=tuple(data.get("parents", ())),
            edits=tuple(EDITS.restore(edit) for edit in data.get("edits", ())),
            fidelity=None if fidelity is None else Fidelity.from_json(fidelity),
            resume=data.get("resume"),
            replicate=data.get("replicate", 0),
            attributes=tuples(data.get("attributes", {})),
        )


class State(str, Enum):
    """Where a trial stands."""

    PENDING = "pending"  # asked for, nothing measured yet
    RUNNING = "running"  # something is measured, its leg goes on
    PAUSED = "paused"  # its leg has ended, a scheduler may promote it
    FINISHED = "finished"
    STOPPED = "stopped"  # ended early by a scheduler
    FAILED = "failed"

    def __str__(self) -> str:
        """Return the word."""
        return self.value


class Decision(str, Enum):
    """The answer to a measurement."""

    CONTINUE = "continue"
    STOP = "stop"


@final
@dataclass(frozen=True, slots=True)
class Trial:
    """One numbered evaluation, as the log has it.

    Args:
        number: Its place in the study, from 0.
        proposal: What was asked for.
        state: Where it stands.
        fidelity: The target of its current leg.
        measurements: What was measured, over all legs.
        asked_at: Length of the log that its ``ask`` saw.
        attempt: How often it was lost by a crash since its last checkpoint.
        reason: Why it failed, or why it was stopped.
        predicted: Values that a scheduler predicted when it stopped the trial.
        details: A traceback, or the last lines of a worker's error output.
        reached: The fidelity of the last measurement; None if nothing was measured.
        ended_at: Reading of the executor's clock when it was over, in seconds from the study's
            beginning; None in what a strategy sees.
    """

    number: int
    proposal: Proposal
    state: State
    fidelity: Fidelity
    measurements: tuple[Measurement, ...]
    asked_at: int
    attempt: int = 0
    reason: str | None = None
    predicted: Mapping[str, float] = field(default_factory=dict)
    details: str = ""
    reached: Fidelity | None = None
    ended_at: float | None = None

    @property
    def architecture(self) -> Architecture | None:
        """The candidate; None for the whole space."""
        return self.proposal.architecture

    @property
    def parents(self) -> tuple[int, ...]:
        """Numbers of the trials it came from."""
        return self.proposal.parents

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of every metric."""
        return {name: value for m in self.measurements for name, value in m.metrics.items()}

    @property
    def report(self) -> dict[str, float]:
        """The latest value of every report metric; empty in what a strategy sees."""
        return {name: value for m in self.measurements for name, value in m.report.items()}

    @property
    def seconds(self) -> float:
        """What the trial was charged so far."""
        return sum(m.seconds for m in self.measurements)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the trial so far, as far as it was measured."""
        return sum(m.cpu_seconds for m in self.measurements)

    @property
    def step(self) -> int:
        """The last measured step; 0 if nothing was."""
        return self.measurements[-1].step if self.measurements else 0

    @property
    def checkpoint(self) -> str | None:
        """Reference of the latest checkpoint."""
        return next((m.checkpoint for m in reversed(self.measurements) if m.checkpoint), None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be measured."""
        return self.state in (State.FINISHED, State.STOPPED, State.FAILED)


INFEASIBLE = 1e12
"""Losses from here on mean a violated limit; the excess over it grows with the violation."""


@final
@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to be made small, or large.

    Args:
        metric: Its name, such as ``"valid_error"``.
        maximize: Whether large is good; its loss is then the negated metric.

    Example:
        >>> Objective("valid_error").loss(0.1), Objective("accuracy", maximize=True).loss(0.9)
        (0.1, -0.9)
    """

    metric: str
    maximize: bool = False

    def loss(self, value: float) -> float:
        """Return the value as something to be made small."""
        return -value if self.maximize else value


@final
@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a measured metric.

    Args:
        metric: Its name.
        bound: The greatest value that is allowed.

    Example:
        >>> Limit("latency_ms", 2.0).violation(1.5), Limit("latency_ms", 2.0).violation(3.0)
        (0.0, 0.5)
    """

    metric: str
    bound: float

    def violation(self, value: float) -> float:
        """Return by which share of the bound a value exceeds it; 0 within, NaN for NaN."""
        if value <= self.bound:
            return 0.0
        return (value - self.bound) / max(abs(self.bound), 1e-12)


def as_objective(value: str | Objective) -> Objective:
    """Return the objective that a metric's name stands for."""
    return value if isinstance(value, Objective) else Objective(value)
