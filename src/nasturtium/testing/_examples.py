"""The smallest honest example of what few methods use: legs, one-shot trials, folded state."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import cos, nan, pi
from typing import Any, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Estimator
from nasturtium.spaces import Architecture, Decisions
from nasturtium.strategies import Strategy, operators
from nasturtium.trials import Fidelity, History, Measurement, Proposal, Rung, State, Trial

Metrics = Callable[[Architecture], Mapping[str, float]]


@final
@dataclass(frozen=True)
class ToyLearner(Estimator):
    """Trains by noisy steps towards an architecture's loss, in legs that continue exactly.

    Args:
        metrics_of: Gives ``loss``, what an endless training would reach, and costs.
        epochs: Length of a full training; the rungs are at a ninth, a third and all of it.
    """

    metrics_of: Metrics
    epochs: int = 9

    def ladder(self) -> tuple[Rung, ...]:
        """Return three rungs of one schedule."""
        steps = (max(1, self.epochs // 9), max(1, self.epochs // 3), self.epochs)
        return tuple(Rung(Fidelity(step, schedule=self.epochs), step / self.epochs) for step in sorted(set(steps)))

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield the cost, then a loss an epoch; the leg's last one comes with the checkpoint."""
        if assignment.architecture is None:
            raise UsageError("this estimator trains architectures, got the whole space.")
        costs = dict(self.metrics_of(assignment.architecture))
        floor = costs.pop("loss")
        state, note = _Training(context.seed), None
        if assignment.start:
            saved = context.checkpoints.load(assignment.number)
            if saved is None:
                note = "its checkpoint is missing, it was trained again from the start"
                state.train(floor, 0, assignment.start, assignment.fidelity.planned)
            else:
                state.restore(saved)
        else:
            yield Measurement(0, costs)
        for epoch in range(assignment.start, assignment.fidelity.epochs):
            state.train(floor, epoch, epoch + 1, assignment.fidelity.planned)
            is_last = epoch + 1 == assignment.fidelity.epochs
            saved_as = context.checkpoints.save(state.saved()) if is_last else None
            yield Measurement(epoch + 1, {"loss": state.loss}, 1.0, checkpoint=saved_as, note=note)
            note = None


class _Training:
    """Everything that changes while training: the loss, and the generator of its noise."""

    def __init__(self, seed: int) -> None:
        self.loss = 1.0
        self.rng = np.random.default_rng(seed)

    def train(self, floor: float, start: int, end: int, planned: int) -> None:
        """Go towards the floor, with a cosine schedule."""
        for epoch in range(start, end):
            rate = 0.5 * (1 + cos(pi * epoch / planned))
            noise = 0.01 * float(self.rng.standard_normal())
            self.loss += 0.5 * rate * (floor - self.loss + noise)

    def saved(self) -> bytes:
        """Return the whole state."""
        return json.dumps([self.loss, self.rng.bit_generator.state]).encode()

    def restore(self, data: bytes) -> None:
        """Take over a whole state."""
        self.loss, self.rng.bit_generator.state = json.loads(data)


@final
@dataclass(frozen=True)
class ToySupernet(Estimator):
    """Weights shared by a whole space: one number a decision and value.

    The whole space is trained by fitting an additive model to the losses of random draws, and the
    model is the checkpoint. An architecture whose first parent is such a trial is evaluated with
    the parent's model, any other by its own loss.

    Args:
        metrics_of: Gives ``loss`` and costs of an architecture trained alone.
        draws: Number of random architectures that the model is fitted to.
    """

    metrics_of: Metrics
    draws: int = 200

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    whole_space: ClassVar[bool] = True

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield one measurement: of the trained model, or of an architecture."""
        if assignment.architecture is None:
            model = self._train(context)
            saved_as = context.checkpoints.save(json.dumps(model).encode())
            loss = float(np.mean(list(model.values())))
            yield Measurement(0, {"loss": loss, "size": 0.0}, 1.0, checkpoint=saved_as)
            return
        metrics, note = dict(self.metrics_of(assignment.architecture)), None
        if assignment.parents:
            data = context.checkpoints.load(assignment.parents[0])
            if data is None:
                note = "the shared weights are missing, it was trained alone"
            else:
                metrics["loss"] = _predicted(json.loads(data), assignment.architecture)
        yield Measurement(0, metrics, note=note)

    def _train(self, context: Context) -> dict[str, float]:
        rng = np.random.default_rng(context.seed)
        draws = [context.space.sample(rng) for _ in range(self.draws)]
        losses = np.array([self.metrics_of(draw)["loss"] for draw in draws])
        names = sorted({_weight(*item) for draw in draws for item in draw.items()})
        column = {name: i for i, name in enumerate(names)}
        design = np.zeros((len(draws), len(names)))
        for row, draw in enumerate(draws):
            for item in draw.items():
                design[row, column[_weight(*item)]] = 1
        weights, *_ = np.linalg.lstsq(design, losses, rcond=None)
        return {name: float(weights[i]) for name, i in column.items()}


@final
@dataclass(frozen=True)
class Unlucky(Estimator):
    """Another estimator with which every seventh architecture fails, and as many give NaN.

    Args:
        estimator: Evaluates the others.
    """

    estimator: Estimator

    def ladder(self) -> tuple[Rung, ...]:
        """Return the other's ladder."""
        return self.estimator.ladder()

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield what the other yields, or fail at its last measurement."""
        chosen = assignment.architecture
        luck = -1 if chosen is None else int(chosen.key, 16) % 7
        for measurement in self.estimator.evaluate(assignment, context):
            if measurement.step == assignment.fidelity.epochs and luck == 0:
                raise ValueError("this one always fails")
            unknown = {name: nan for name in measurement.metrics} if luck == 1 else {}
            yield replace(measurement, metrics={**measurement.metrics, **unknown})


def _weight(path: str, value: Any) -> str:
    return f"{path}={value!r}"


def _predicted(model: Mapping[str, float], architecture: Architecture) -> float:
    return sum(model.get(_weight(*item), 0.0) for item in architecture.items())


@final
@dataclass(frozen=True)
class ToyTwoStage(Strategy):
    """Trains the whole space first, then climbs from the best architecture that shares its weights.

    Args:
        start: How many architectures are drawn at random before climbing.
    """

    start: int = 5

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    whole_space: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the whole space as trial 0, and nothing else before it is trained."""
        if n < 1:
            return []
        if history.n_trials == 0:
            return [Proposal(None)]
        if history.trial(0).state is not State.FINISHED:
            return []  # wait for it, or give up if it failed
        space = history.study.space
        best = history.fold((self, "best"), _Best, _Best.after)
        batch: set[str] = set()
        proposals: list[Proposal] = []
        for number in range(history.n_trials, history.n_trials + n):
            rng = operators.generator(history, number)
            origin = best.architecture if number > self.start else None

            def draw(
                rejected: Architecture | None,
                origin: Architecture | None = origin,
                rng: np.random.Generator = rng,
            ) -> Architecture:
                parent = rejected or origin
                return space.sample(rng) if parent is None else space.mutate(parent, rng)

            candidate = operators.unseen(history, batch, draw, rng)
            if candidate is None:
                break
            proposals.append(Proposal(candidate, parents=(0,)))
        return proposals


@final
@dataclass(frozen=True)
class _Best:
    """The best architecture so far: state that is folded over the trials."""

    loss: float = float("inf")
    architecture: Architecture | None = None

    def after(self, trial: Trial) -> _Best:
        """Return the state after one more trial; this one stays as it is."""
        loss = trial.metrics.get("loss", float("nan"))
        if trial.architecture is None or not loss < self.loss:
            return self
        return _Best(loss, trial.architecture)
