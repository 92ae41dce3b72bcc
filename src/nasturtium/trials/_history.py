"""History: what strategies and schedulers see, a view of the log up to some length."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

import numpy as np

from nasturtium.errors import MissingExtraError, UsageError
from nasturtium.spaces import Architecture, Space
from nasturtium.trials._pareto import non_dominated
from nasturtium.trials._replay import Replay
from nasturtium.trials._values import INFEASIBLE, Fidelity, Limit, Objective, Rung, State, Trial

if TYPE_CHECKING:
    from array import array

    import pandas as pd
    from numpy.typing import NDArray

    from nasturtium.trials._events import Asked, Event

S = TypeVar("S")


@final
@dataclass(frozen=True)
class Setting:
    """What a study is about; set once, stored with it.

    Args:
        space: The space, bound to the task.
        objectives: What is good.
        limits: Bounds on measured metrics.
        seed: The study's seed.
        horizon: The expected number of trials, for schedules; None if it is not known.
        ladder: The estimator's rungs, from the cheapest to the fullest.
    """

    space: Space
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()
    seed: int = 0
    horizon: int | None = None
    ladder: tuple[Rung, ...] = (Rung(Fidelity()),)


@final
@dataclass(frozen=True)
class PriorTrial:
    """A result of an earlier study that parses in this space.

    Args:
        architecture: Its architecture.
        metrics: Its last values.
        task: The task it was measured on.
        fidelity: What was spent.
    """

    architecture: Architecture
    metrics: dict[str, float]
    task: str
    fidelity: Fidelity

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON data."""
        return {
            "architecture": self.architecture.to_json(),
            "metrics": self.metrics,
            "task": self.task,
            "fidelity": self.fidelity.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PriorTrial:
        """Return the trial that ``to_json`` wrote."""
        architecture = Architecture.from_json(data["architecture"])
        return cls(architecture, dict(data["metrics"]), data["task"], Fidelity.from_json(data["fidelity"]))


@final
class Log:
    """A study's events in order, and everything that is derived from them.

    Events are only ever appended. The derived state follows the log step by step, so that looking
    at a history costs the same however long the study is.

    Example:
        >>> from nasturtium.spaces import choice, decisions
        >>> from nasturtium.trials import Note
        >>> log = Log(Setting(decisions(a=choice(1, 2)), (Objective("loss"),)))
        >>> log.append([Note("created", {"seed": 0})])
        >>> len(log), log.history().n_trials
        (1, 0)
    """

    def __init__(self, study: Setting, *, prior: Sequence[PriorTrial] = (), memoize: bool = True) -> None:
        self.study = study
        self.prior = tuple(prior)
        self.memoize = memoize
        self._events: list[Event] = []
        self._replay = Replay(study)
        self._memo: dict[Hashable, tuple[int, Any]] = {}

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self._events)

    def append(self, events: Iterable[Event]) -> None:
        """Add events at the end."""
        for event in events:
            self._events.append(event)
            self._replay.apply(event)

    def events(self, since: int = 0) -> list[Event]:
        """Return the events from a position on."""
        return self._events[since:]

    def history(self, length: int | None = None, *, sealed: bool = False) -> History:
        """Return the view of the first ``length`` events; ``sealed`` hides what no strategy may see."""
        length = len(self._events) if length is None else length
        if not 0 <= length <= len(self._events):
            raise UsageError(f"a history's length is in [0, {len(self._events)}], got {length}; shorten it.")
        return History(self, length, sealed)

    def _state(self, length: int) -> Replay:
        """Return the derived state after the first ``length`` events, replayed from the start."""
        replay = Replay(self.study)
        for event in self._events[:length]:
            replay.apply(event)
        return replay


@final
class Prefix(Sequence[int]):
    """The items that an array has now, whatever is appended to it later; not copied."""

    __slots__ = ("_items", "_length")

    def __init__(self, items: array[int]) -> None:
        self._items = items
        self._length = len(items)

    def __len__(self) -> int:
        """Return the number of items."""
        return self._length

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> list[int]: ...

    def __getitem__(self, index: int | slice) -> int | list[int]:
        """Return one item, or a list of some."""
        chosen = range(self._length)[index]
        return self._items[chosen] if isinstance(chosen, int) else [self._items[i] for i in chosen]

    def latest(self, n: int) -> NDArray[np.int64]:
        """Return the last n items, or all if they are fewer."""
        return np.array(self._items[max(self._length - n, 0) : self._length], dtype=np.int64)


@final
class History:
    """What has happened in a study so far; never changes.

    Trials are numbered from 0 in the order in which they were asked for, and *completed* in the
    order in which they ended.

    Example:
        >>> from nasturtium import Study
        >>> from nasturtium.estimators import Function
        >>> from nasturtium.spaces import choice, decisions
        >>> space = decisions(a=choice(1, 2, 3))
        >>> study = Study(space=space, estimator=Function(lambda x: {"loss": x["a"]}), objectives=["loss"])
        >>> history = study.run("random-search", trials=3, seed=0).history
        >>> history.n_trials, sorted(history.losses()[:, 0].tolist()), history.front()[0].metrics
        (3, [1.0, 2.0, 3.0], {'loss': 1})
    """

    __slots__ = ("_log", "_own", "_sealed", "length")

    def __init__(self, log: Log, length: int, sealed: bool) -> None:
        self._log = log
        self._sealed = sealed
        self._own: Replay | None = None
        self.length = length

    @property
    def _state(self) -> Replay:
        if self._own is not None:
            return self._own
        if self.length == len(self._log._events):
            return self._log._replay
        self._own = self._log._state(self.length)  # replayed for this view alone, so kept
        return self._own

    @property
    def study(self) -> Setting:
        """The bound space, objectives, limits, seed, horizon and ladder."""
        return self._log.study

    @property
    def prior(self) -> tuple[PriorTrial, ...]:
        """Results of earlier studies, for strategies that declare that they use them."""
        return self._log.prior

    @property
    def n_trials(self) -> int:
        """The number of trials asked for; the next trial's number."""
        return len(self._state.records)

    @property
    def completed(self) -> Prefix:
        """Numbers of the trials that are over, in the order in which they ended."""
        return Prefix(self._state.completed)

    @property
    def n_settled(self) -> int:
        """How many trials are over before the first that is not, by number: all below it have ended."""
        return self._state.n_settled

    @property
    def has_checkpoints(self) -> bool:
        """Whether a measurement ever came with a checkpoint."""
        return self._state.has_checkpoints

    @property
    def n_epochs(self) -> int:
        """Epochs trained so far in all trials; where a leg started anew, both count."""
        return self._state.n_epochs

    @property
    def n_under_way(self) -> int:
        """The number of trials that are pending or running, paused ones not counted."""
        return self._state.n_under_way

    @property
    def compared_at(self) -> Fidelity | None:
        """The fidelity at which ``losses`` compares by default; part of a fold's key that uses them."""
        return self._state.top

    def trial(self, number: int) -> Trial:
        """Return the trial of that number.

        Raises:
            UsageError: There is none.
        """
        records = self._state.records
        if not 0 <= number < len(records):
            raise UsageError(f"a trial's number is in [0, {len(records)}), got {number}; see `nasturtium show`.")
        return records[number].trial(self._sealed)

    def trials(self, *states: State) -> list[Trial]:
        """Return the trials by number: all, or those in the given states."""
        records = self._state.records
        return [r.trial(self._sealed) for r in records if not states or r.state in states]

    def finished(self) -> list[Trial]:
        """Return the finished trials in the order in which they ended."""
        records = self._state.records
        numbers = (n for n in self._state.completed if records[n].state is State.FINISHED)
        return [records[n].trial(self._sealed) for n in numbers]

    def asked(self, number: int) -> Asked:
        """Return the event that began a trial."""
        return self._state.records[number].asked

    def architecture(self, number: int) -> Architecture | None:
        """Return a trial's architecture without building the whole trial."""
        return self._state.records[number].asked.proposal.architecture

    def seen(self, architecture: Architecture) -> bool:
        """Return whether an equal candidate was asked for, by the graph's key where there is one."""
        return self.study.space.identity(architecture) in self._state.seen()

    @property
    def identities(self) -> Set[str]:
        """The identities (``space.identity``) of all candidates asked for (do not change it)."""
        return self._state.seen()

    def losses(self, objectives: Sequence[Objective] | None = None, at: Fidelity | None = None) -> NDArray[np.float64]:
        """Return every trial's objectives as losses: lower is better, rows comparable.

        A row holds what was measured at the highest rung of the ladder at which a leg of the study
        ended, or at ``at``. Costs of step 0 hold at every fidelity, and a stopped trial has the
        values that its scheduler predicted. A trial that violates a limit has
        ``INFEASIBLE * (1 + violation)`` in every column; one of which a limited metric is not known
        has NaN. So has a trial that failed (at a lower ``at`` it keeps what was measured), and a
        trial of the whole space. What is infinite counts as not measured.

        Args:
            objectives: What to compare; None means the study's.
            at: The fidelity to compare at.

        Returns:
            Read-only array of shape ``(n_trials, n_objectives)``; NaN for what has no value there.
        """
        chosen = self.study.objectives if objectives is None else tuple(objectives)
        return self._state.losses(chosen, at)

    def front(self, objectives: Sequence[Objective] | None = None) -> list[Trial]:
        """Return the finished trials that none dominates, best first objective first.

        If none has finished, those that paused at the highest rung so far stand in. Trials that
        violate a limit are left out.
        """
        losses = self.losses(objectives)
        records = self._state.records
        known = ~np.isnan(losses).any(axis=1) & (losses < INFEASIBLE).all(axis=1)
        usable: list[int] = []
        for state in (State.FINISHED, State.PAUSED):
            usable = usable or [int(n) for n in np.flatnonzero(known) if records[n].state is state]
        mask = non_dominated(losses[usable]) if usable else np.zeros(0, dtype=bool)
        best = sorted((n for n, keep in zip(usable, mask, strict=True) if keep), key=lambda n: (*losses[n], n))
        return [records[n].trial(self._sealed) for n in best]

    def fold(self, key: Hashable, start: Callable[[], S], step: Callable[[S, Trial], S]) -> S:
        """Return state accumulated over the completed trials, in the order in which they ended.

        With ``iterate`` the one place where derived state is kept: the result after the last call is
        memoized under ``key``, and only trials that ended since are added. ``step`` returns a new state and leaves
        the old one as it was.

        Args:
            key: Identifies start and step, as in ``(self, "q-table")``.
            start: Makes the state before any trial.
            step: Adds one completed trial to a state.
        """
        completed = self._state.completed
        return self.iterate(key, len(completed), start, lambda state, i: step(state, self.trial(completed[i])))

    def iterate(self, key: Hashable, n: int, start: Callable[[], S], step: Callable[[S, int], S]) -> S:
        """Return the state after ``n`` steps, where the steps are fewer than trials, such as generations.

        As ``fold``, which is the case of one step a completed trial: the last state is memoized under
        ``key``. A step uses no more of the history than every history holds in which it is taken.

        Args:
            key: Identifies start and step.
            n: Number of steps.
            start: Makes the state before any step.
            step: Takes a state and the step's number, from 0.
        """
        memo = self._log._memo if self._log.memoize else {}
        place = (key, self._sealed)
        known, state = memo.get(place, (0, None))
        done = known
        if done == 0 or done > n:
            done, state = 0, start()
        for i in range(done, n):
            state = step(state, i)
        result: S = state
        if n > known:
            memo[place] = (n, result)
        return result

    def events(self) -> list[Event]:
        """Return what happened, in order.

        Raises:
            UsageError: The history is sealed, as a strategy's is; events hold test metrics too.
        """
        if self._sealed:
            raise UsageError("events hold what no strategy may see, got a sealed history; use its trials.")
        return self._log.events()[: self.length]

    def before(self, length: int) -> History:
        """Return the history as it was when the log had that length."""
        if not 0 <= length <= self.length:
            raise UsageError(f"a shorter history has a length in [0, {self.length}], got {length}; lower it.")
        return History(self._log, length, self._sealed)

    def sealed(self) -> History:
        """Return the view that ``ask`` and ``promote`` get: no test metrics, no report columns."""
        return History(self._log, self.length, sealed=True)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row a trial: number, state, decisions, metrics, seconds.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("to_frame needs pandas; pip install 'nasturtium[frame]'.") from error
        rows = []
        for trial in self.trials():
            row: dict[str, Any] = {"number": trial.number, "state": str(trial.state), "seconds": trial.seconds}
            rows.append({**row, **trial.metrics, **trial.report, **dict(trial.architecture or {})})
        return pd.DataFrame(rows)
