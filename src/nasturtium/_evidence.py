"""Evidence: the winner trained again with other seeds, and other networks trained as it was.

The best of many by validation is optimistic, and one training is one draw. So the winner is trained
again with other seeds, and beside it a network made by hand, by the recipe of the final training and
as long. Each is a child study, so that it survives a kill; what became of it is a note in the search's
log, from which the report is written. Nothing is selected: delivered are the weights of the first seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium._chosen import chosen_networks, state_of
from nasturtium._final import children_of, distinct_front, trained_in
from nasturtium._planning import time_epoch
from nasturtium._study import Study
from nasturtium.baselines import baselines_for
from nasturtium.strategies import Strategy
from nasturtium.trials import History, Note, Proposal, State, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nasturtium._chosen import Chosen
    from nasturtium.spaces import Architecture, Space
    from nasturtium.trials import Measurement

EVIDENCE_SHARE = 0.4
"""Share of the final training's time for other seeds of the winner and a network made by hand."""

SEEDS_SHARE = 0.75
"""Share of that for the seeds."""

MOST_SEEDS = 5
"""So many times a network is trained at most."""

START_SECONDS = 10.0
"""Trainings that take less than this together are done in this process: workers take as long to begin."""

UNTIMED_SEEDS = 3
"""So many times the winner is trained where no clock runs."""

NOTES = ("seeds", "by_hand", "baseline")
"""The kinds of notes in which results are; the report knows them as ``KIND_result``."""


@final
@dataclass(frozen=True)
class Replicates(Strategy):
    """Proposes one architecture, each time with another training seed.

    Args:
        architecture: The candidate.
        n: How often.
        first: The first replicate's number.
    """

    architecture: Architecture | None = None
    n: int = MOST_SEEDS
    first: int = 0

    is_baseline: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the next ones."""
        start = history.n_trials
        return [Proposal(self.architecture, replicate=self.first + i) for i in range(start, min(start + n, self.n))]


@final
@dataclass(frozen=True)
class Means:
    """What trainings may use.

    Args:
        executor: ``"local"`` or ``"inline"``.
        workers: Trainings at a time.
        watch: Called with the child study after every round, or None.
    """

    executor: str = "inline"
    workers: int = 1
    watch: Callable[[Study], None] | None = None

    def enough(self, seconds: float) -> Means:
        """Return what is enough for trainings of so many seconds in all."""
        return replace(self, executor="inline", workers=1) if seconds < START_SECONDS else self


def results_of(notes: Sequence[Note]) -> dict[str, Mapping[str, Any]]:
    """Return what the log says of seeds, the network made by hand and the user's own, as the report takes it."""
    return {f"{note.kind}_result": note.data for note in notes if note.kind in NOTES}


def train_seeds(study: Study, seconds: float | None, means: Means) -> None:
    """Train the winner with as many other seeds as the time allows, test each and write it down.

    Args:
        study: The search, its final training done.
        seconds: Time for this, or None.
        means: What it may use.
    """
    winner = winner_of(study)
    if winner is None or _is_noted(study, "seeds", winner.trial.number, winner.epochs):
        return
    n, cost = UNTIMED_SEEDS - 1, _seconds_of(study, winner)
    if seconds is not None:
        n = max(0, min(MOST_SEEDS - 1, int(seconds / max(1.1 * cost, 1e-3))))
    result: dict[str, Any] = {"of": winner.trial.number, "epochs": winner.epochs, "test_errors": []}
    if n:
        strategy = Replicates(winner.checkpoint.architecture, n, first=1)
        name = f"{study.name}/seeds@{winner.trial.number}.{winner.epochs}"
        result |= train_again(study, study.space, strategy, name, winner.epochs, seconds, means)
    _note(study, "seeds", result)


def train_by_hand(study: Study, seconds: float | None, means: Means) -> None:
    """Train one network made by hand as long as the winner: the first that the time allows.

    Args:
        study: The search, its final training done.
        seconds: Time for this, or None.
        means: What it may use.
    """
    winner = winner_of(study)
    if winner is None or study.task.over_time or _is_noted(study, "by_hand", winner.trial.number, winner.epochs):
        return
    result: dict[str, Any] = {"of": winner.trial.number, "epochs": winner.epochs, "name": None, "test_errors": []}
    for name, space in baselines_for(study.task).items():
        cost = winner.epochs * seconds_an_epoch(study, space)
        if seconds is not None and cost > seconds:
            continue
        n = 1 if seconds is None else min(UNTIMED_SEEDS, max(1, int(seconds / cost)))
        strategy = Replicates(space.sample(np.random.default_rng(0)), n)
        child = f"{study.name}/by-hand@{winner.trial.number}.{winner.epochs}.{name}"
        trained = train_again(study, space, strategy, child, winner.epochs, seconds, means)
        result |= {"name": name, **trained}
        break
    _note(study, "by_hand", result)


def winner_of(study: Study) -> Chosen | None:
    """Return the best network if it has been through the final training."""
    chosen = chosen_networks(study, children_of(study))
    if not chosen or chosen[0].weights != "final" or chosen[0].trial.number != distinct_front(study)[0].number:
        return None
    return chosen[0]


def train_again(
    study: Study, space: Space, strategy: Replicates, name: str, epochs: int, seconds: float | None, means: Means
) -> dict[str, Any]:
    """Train one architecture by the final recipe with several seeds and test each; return what became of it.

    Args:
        study: The search.
        space: That the architecture is of.
        strategy: The architecture, and how often.
        name: The child study's.
        epochs: Length of each training.
        seconds: After which what is not done is left, or None.
        means: What the trainings may use.
    """
    assert study.estimator is not None
    seed = study.history.study.seed
    child = Study(
        space=space,
        estimator=study.estimator.final(epochs),
        objectives=["train_error"],
        task=study.task.for_final(),
        storage=study.storage,
        name=name,
        notes={"kind": "final", "parent": study.name, "of": list(range(strategy.n)), "epochs": epochs},
    )
    child.store()
    if child.is_begun:  # it was interrupted, and goes on with as many as were planned
        strategy = Replicates(strategy.architecture, len(child.created["of"]), strategy.first)
    child.begin(strategy, seed=seed, horizon=strategy.n)
    seen = means.watch
    child.run(
        strategy,
        trials=strategy.n,
        minutes=None if seconds is None else max(seconds, 0.5) / 60,
        patience=None if seconds is None else max(60.0, seconds),
        seed=seed,
        workers=means.workers,
        executor=means.executor,
        watch=None if seen is None else lambda history: seen(child),
    )
    return tested(study, child, epochs)


def tested(study: Study, child: Study, epochs: int) -> dict[str, Any]:
    """Return the test errors of every training, and what the network and its training cost."""
    from nasturtium._subject import subject_of

    subject = subject_of(study.task)
    trials = child.history.trials()
    finished = [trial for trial in trials if trial.state is State.FINISHED]
    reasons = [trial.reason for trial in trials if trial.state is State.FAILED]
    first: Measurement | None = finished[0].measurements[0] if finished else None
    return {
        "epochs": epochs,
        "test_errors": [_test_error(study, child, trial) for trial in finished],
        "n_test": subject.n_test,
        "counts_examples": subject.counts_examples,
        "params": None if first is None else first.metrics.get("params"),
        "flops": None if first is None else first.metrics.get("flops"),
        "seconds": sum(trial.seconds for trial in trials),
        "cpu_seconds": sum(trial.cpu_seconds for trial in trials),
        "reason": reasons[0] if reasons else None,
    }


def _test_error(study: Study, child: Study, trial: Trial) -> float:
    from nasturtium._subject import subject_of

    known = [n.data["values"] for n in child.notes if n.kind == "tested" and n.data["of"] == trial.number]
    if known:
        return float(known[0]["test_error"])
    state = state_of(child, trial)
    assert state is not None, "a finished training has a checkpoint"
    values = dict(subject_of(study.task).tested(child.space, state))
    child.journal.add(Note("tested", {"of": trial.number, "weights": "final", "epochs": trial.step, "values": values}))
    child.journal.flush()
    return values["test_error"]


def seconds_an_epoch(study: Study, space: Space) -> float:
    """Return what an epoch on training and validation data takes for a network of the space."""
    task = study.task
    return time_epoch(space, task) * (len(task.train) + len(task.valid)) / len(task.train)


def _seconds_of(study: Study, winner: Chosen) -> float:
    """Return what the winner's final training was charged."""
    trained = (trained_in(child).get(winner.trial.number) for child in children_of(study))
    return next(trial.seconds for trial in trained if trial is not None and trial.step == winner.epochs)


def _is_noted(study: Study, kind: str, number: int, epochs: int) -> bool:
    return any(n.kind == kind and (n.data["of"], n.data["epochs"]) == (number, epochs) for n in study.notes)


def _note(study: Study, kind: str, result: Mapping[str, Any]) -> None:
    study.journal.add(Note(kind, dict(result)))
    study.journal.flush()
