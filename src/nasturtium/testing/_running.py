"""Whole studies in memory, for laws: small, quick, with as many workers as a law wants."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.engine import Budget, Executor, Job, Journal, Loop, Message, Reported, Workload
from nasturtium.engine._evaluation import Evaluation
from nasturtium.estimators import Estimator, Function
from nasturtium.schedulers import Fixed, Scheduler
from nasturtium.storage._memory import MemoryStorage
from nasturtium.trials import (
    Asked,
    Decision,
    Ended,
    Event,
    Fidelity,
    History,
    Log,
    Measured,
    Measurement,
    Objective,
    Proposal,
    Setting,
    State,
    event_to_json,
)

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture, Space
    from nasturtium.strategies import Strategy


@final
@dataclass
class Shelf:
    """Checkpoints in memory that outlive an executor.

    Args:
        data: Content by reference.
    """

    data: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, references: Mapping[int, str]) -> View:
        """Return what one evaluation may read and write."""
        return View(self, references)


@final
@dataclass(frozen=True)
class View:
    """The part of a shelf that one evaluation may read; it writes to all of it."""

    shelf: Shelf
    references: Mapping[int, str]

    def load(self, number: int) -> bytes | None:
        """Return the latest checkpoint of a trial, if there is one."""
        return self.shelf.data.get(self.references.get(number, ""))

    def reference(self, number: int) -> str | None:
        """Return the reference of what ``load`` gives."""
        return self.references.get(number)

    def save(self, data: bytes) -> str:
        """Keep a checkpoint."""
        reference = f"shelf-{len(self.shelf.data)}"
        self.shelf.data[reference] = data
        return reference


@final
class Juggler(Executor):
    """Several evaluations at a time in this process, going on in a shuffled, repeatable order.

    Its clock counts messages.

    Args:
        n_workers: How many evaluations can be under way.
        seed: Of the order.
    """

    def __init__(self, n_workers: int = 3, seed: int = 0) -> None:
        self._n_workers = n_workers
        self._rng = np.random.default_rng(seed)
        self._workload: Workload | None = None
        self._ready: dict[int, Evaluation] = {}
        self._waiting: dict[int, Evaluation] = {}
        self._clock = 0.0

    @property
    def n_workers(self) -> int:
        """As many as were asked for."""
        return self._n_workers

    def start(self, workload: Workload) -> None:
        """Take the workload."""
        self._workload = workload

    def now(self) -> float:
        """Return the number of messages so far."""
        return self._clock

    def submit(self, job: Job) -> None:
        """Take a job."""
        assert self._workload is not None, "submit comes after start"
        checkpoints = (self._workload.checkpoints or Shelf())(job.references)
        self._ready[job.assignment.number] = Evaluation(self._workload, job, checkpoints)

    def answer(self, number: int, decision: Decision) -> None:
        """Let a job go on, or end it."""
        evaluation = self._waiting.pop(number)
        evaluation.decision = decision
        self._ready[number] = evaluation

    def receive(self, timeout: float | None = None) -> Sequence[Message]:
        """Let one job make a step."""
        del timeout
        if not self._ready:
            return ()
        self._clock += 1
        numbers = sorted(self._ready)
        evaluation = self._ready.pop(numbers[int(self._rng.integers(len(numbers)))])
        message = evaluation.advance()
        if isinstance(message, Reported):
            self._waiting[message.number] = evaluation
        return (message,)

    def close(self) -> None:
        """End all jobs."""
        for evaluation in (*self._ready.values(), *self._waiting.values()):
            evaluation.close()
        self._ready.clear()
        self._waiting.clear()


def setting_of(
    space: Space,
    estimator: Estimator | None = None,
    *,
    objectives: Sequence[str] = ("loss",),
    seed: int = 0,
    horizon: int | None = None,
) -> Setting:
    """Return the setting of a study in memory."""
    named = tuple(Objective(metric) for metric in objectives)
    if estimator is None:
        return Setting(space, named, (), seed, horizon)
    return Setting(space, named, (), seed, horizon, estimator.ladder())


def run(
    strategy: Strategy,
    space: Space,
    estimator: Estimator | Callable[[Architecture], Mapping[str, float]],
    *,
    trials: int,
    seed: int = 0,
    workers: int = 1,
    memoize: bool = True,
    objectives: Sequence[str] = ("loss",),
    scheduler: Scheduler | None = None,
) -> Log:
    """Return the log of a study that was run to its end.

    Args:
        strategy: Proposes.
        space: A bound space.
        estimator: An estimator, or the function that evaluates at once.
        trials: How many trials at most.
        seed: The study's seed.
        workers: How many evaluations at a time; they end in a shuffled order.
        memoize: Whether folds are kept.
        objectives: Names of metrics.
        scheduler: Divides effort; by default every trial gets the same.
    """
    if not isinstance(estimator, Estimator):
        estimator = Function(estimator)
    setting = setting_of(space, estimator, objectives=objectives, seed=seed, horizon=trials)
    journal = Journal(Log(setting, memoize=memoize), MemoryStorage(), "law")
    with closing(Juggler(workers, seed)) as executor:
        executor.start(Workload(estimator, space, None, checkpoints=Shelf()))
        budget = Budget(trials=trials)
        Loop(journal, strategy, scheduler or Fixed(), executor, budget).run()
    return journal.log


Outcome = Mapping[str, float] | str | None
"""How a trial went: its metrics, why it failed, or None while nobody knows."""


def told(setting: Setting, trials: Sequence[tuple[Proposal, Outcome]], *, memoize: bool = True) -> Log:
    """Return the log in which these trials, which no strategy need have proposed, went so."""
    log = Log(setting, memoize=memoize)
    fidelity = setting.ladder[-1].fidelity
    for number, (proposal, outcome) in enumerate(trials):
        log.append(events_of(number, proposal, outcome, len(log), fidelity))
    return log


def events_of(number: int, proposal: Proposal, outcome: Outcome, asked_at: int, fidelity: Fidelity) -> Iterator[Event]:
    """Yield the events of one trial."""
    yield Asked(number, proposal, asked_at, fidelity)
    if isinstance(outcome, str):
        yield Ended(number, State.FAILED, outcome)
    elif outcome is not None:
        yield Measured(number, Measurement(fidelity.epochs, outcome))
        yield Ended(number, State.FINISHED)


def text_of(proposals: Sequence[Proposal]) -> str:
    """Return proposals as text, to compare what one ask gave with another, or with the log."""
    return json.dumps([proposal.to_json() for proposal in proposals])


def snapshot(history: History) -> str:
    """Return everything that a history says, as text."""
    events = [event_to_json(event) for event in history._log.events()]
    losses = [[repr(loss) for loss in row] for row in history.losses().tolist()]
    return json.dumps([events, list(history.completed), losses])


@contextmanager
def untouched_generators() -> Iterator[None]:
    """Check that nothing within draws from a global random generator.

    Raises:
        AssertionError: Something did.
    """
    before = _global_states()
    yield
    for name, state in _global_states().items():
        same = name not in before or before[name] == state
        assert same, f"randomness comes from the generator handed in, got a draw from {name}"


def _global_states() -> dict[str, Any]:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - what must not be used
    states: dict[str, Any] = {
        "random": random.getstate(),
        "numpy.random": (name, np.asarray(keys).tobytes(), *rest),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().tolist()
    return states
