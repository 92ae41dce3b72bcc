"""Study: one search, from Python."""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, final

from nasturtium._collection import no_collection, rare_collection
from nasturtium._execution import CheckpointViews, make_executor
from nasturtium._versions import versions
from nasturtium.engine import (
    Budget,
    Executor,
    Journal,
    Loop,
    Workload,
    asked_event,
    leg_end,
)
from nasturtium.errors import RequirementError, SearchFinished, StudyExistsError, UsageError, near_matches
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.schedulers import SCHEDULERS, Scheduler
from nasturtium.spaces import COSTS, SPACES, Networks, Space
from nasturtium.storage import CheckpointStore, Storage, new_owner, open_storage
from nasturtium.strategies import STRATEGIES, Strategy, check_fit
from nasturtium.trials import (
    Decision,
    Ended,
    History,
    Limit,
    Log,
    Measured,
    Measurement,
    Note,
    Objective,
    PriorTrial,
    Rung,
    Setting,
    State,
    Trial,
    as_objective,
    ranking,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nasturtium._registry import Registry

T = TypeVar("T")

TIDY_SECONDS = 30.0

SURPLUS_BYTES = 1_000_000_000
"""Checkpoints that nobody needs are deleted while all of a study's take more than this."""


@final
class Study:
    """A search: a space, an estimator, objectives, and the log of what happened.

    Args:
        space: A space, its name or its call, such as ``"nasnet(cells=2)"``.
        estimator: An estimator, its name or its call; None for studies that are only told values.
        objectives: Names of metrics to be made small, or ``Objective`` values.
        limits: Greatest values by metric. Limits on ``params`` and ``flops`` restrict the space,
            those on measured metrics count as violations.
        task: The data, or None.
        scheduler: A scheduler, its name or its call.
        storage: URL of the database, a ``Storage``, or None for this process's memory.
        name: Name in the storage; None makes one up. A stored study of that name goes on, if its
            components are the same.
        prior: Results of earlier studies, for strategies that use them.
        notes: What else the log should say of the study: JSON data.
        ladder: The rungs of a study that is only told values; a single one by default.
        device: The torch device of the evaluations.

    Raises:
        UsageError: An argument is wrong, or the stored study has other components.
        RequirementError: Two components do not fit each other.

    Example:
        >>> from nasturtium.spaces import choice, decisions
        >>> from nasturtium.estimators import Function
        >>> space = decisions(a=choice(1, 2, 3), b=choice(1, 2, 3))
        >>> study = Study(space=space, estimator=Function(lambda x: {"valid_error": x["a"] * x["b"] / 9}))
        >>> study.run("random-search", trials=9, seed=0).front()[0].metrics["valid_error"] * 9
        1.0
    """

    def __init__(
        self,
        *,
        space: Space | str,
        estimator: Estimator | str | None = None,
        objectives: Sequence[str | Objective] = ("valid_error",),
        limits: Mapping[str, float] | None = None,
        task: Any = None,
        scheduler: Scheduler | str = "fixed",
        storage: Storage | str | None = None,
        name: str | None = None,
        prior: Sequence[PriorTrial] = (),
        notes: Mapping[str, Any] | None = None,
        ladder: Sequence[Rung] | None = None,
        device: str = "cpu",
    ) -> None:
        limits = dict(limits or {})
        bound = made(SPACES, space)
        bound = bound if task is None else bound.on(task)
        costs = COSTS if bound.supports(Networks) else {}
        self.space = bound.limited(**{cost: v for cost, v in limits.items() if cost in costs})
        self.limits = tuple(Limit(metric, v) for metric, v in limits.items() if metric not in costs)
        self.estimator = None if estimator is None else made(ESTIMATORS, estimator)
        self.objectives = tuple(as_objective(o) for o in objectives)
        self.task = task
        self.scheduler = made(SCHEDULERS, scheduler)
        self.storage = open_storage(storage) if storage is None or isinstance(storage, str) else storage
        self.name = name or _fresh_name(self.storage)
        self._prior = tuple(prior)
        self._notes = dict(notes or {})
        self._ladder = None if ladder is None else tuple(ladder)
        self._device = device
        self._tidied_at = time.monotonic()
        self._store: CheckpointStore | None = None
        self._journal: Journal | None = None
        self._check()
        with no_collection():
            events = self.storage.read(self.name)
            if events:
                self._reopen(events)

    def _check(self) -> None:
        if not self.objectives:
            raise UsageError("a study has at least one objective, got none; name a metric such as 'valid_error'.")
        metrics = [o.metric for o in self.objectives]
        if len(set(metrics)) < len(metrics):
            raise UsageError(f"each objective is another metric, got {metrics}; name each once.")
        for metric in metrics:
            if metric.startswith("test_"):
                raise UsageError(f"no search may see the test data, got objective {metric!r}; take 'valid_...'.")
        if self.estimator is not None:
            self._check_estimator(self.estimator, metrics)

    def _check_estimator(self, estimator: Estimator, metrics: Sequence[str]) -> None:
        """Check that the estimator can judge this space by these metrics and those of the limits."""
        for capability in estimator.requires:
            if not self.space.supports(capability):
                raise RequirementError(
                    f"{type(estimator).__name__} needs a space with {capability.__name__}, got "
                    f"{type(self.space).__name__}; take another space or estimator."
                )
        known = set(estimator.metrics())
        if known and self.task is not None:
            known |= {f"valid_{name}" for name in self.task.metrics}
        for metric in (*metrics, *(limit.metric for limit in self.limits)):
            if known and metric not in known:
                raise UsageError(f"unknown metric {metric!r}; {near_matches(metric, known)}")

    # -- the log ---------------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        """Return what must be the same when the study goes on."""
        return {
            "space": SPACES.describe(self.space),
            "estimator": None if self.estimator is None else ESTIMATORS.describe(self.estimator),
            "scheduler": SCHEDULERS.describe(self.scheduler),
            "objectives": [[o.metric, o.maximize] for o in self.objectives],
            "limits": [[limit.metric, limit.bound] for limit in self.limits],
            "task": None if self.task is None else {"name": self.task.name, "content": self.task.content},
        }

    def _setting(self, seed: int, horizon: int | None) -> Setting:
        ladder = self.estimator.ladder() if self.estimator else self._ladder
        extra = {} if ladder is None else {"ladder": ladder}
        return Setting(self.space, self.objectives, self.limits, seed, horizon, **extra)

    def _begin(self, strategy: Strategy, seed: int | None, horizon: int | None) -> Journal:
        """Return the journal; the first time, write down what the study is."""
        if self._journal is not None:
            self._check_same(strategy, seed)
            return self._journal
        if seed is not None and seed < 0:
            raise UsageError(f"a seed is at least 0, got {seed}; take another.")
        setting = self._setting(seed or 0, horizon)
        check_fit(strategy, setting)
        if strategy.whole_space and self.estimator is not None and not self.estimator.whole_space:
            raise RequirementError(
                f"{type(strategy).__name__} trains the whole space, got {type(self.estimator).__name__}, which trains "
                "single architectures; take a one-shot estimator."
            )
        created = {
            "name": self.name,
            "seed": setting.seed,
            "horizon": horizon,
            "strategy": STRATEGIES.describe(strategy),
            **self._described(),
            "ladder": [rung.to_json() for rung in setting.ladder],
            "versions": versions(),
            "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **self._notes,
        }
        log = Log(setting, prior=self._prior)
        journal = Journal(log, self.storage, self.name)
        journal.add(Note("created", created))
        if self._prior:
            journal.add(Note("prior", {"trials": [trial.to_json() for trial in self._prior]}))
        journal.flush()
        self._journal = journal
        return journal

    def _reopen(self, events: Sequence[Any]) -> None:
        created = events[0].data
        described = self._described()
        for part, value in described.items():
            if created[part] != value:
                raise StudyExistsError(
                    f"study {self.name!r} was stored with {part} {created[part]}, got {value}; give the same, or "
                    "another name."
                )
        stored = [e.data["trials"] for e in events[1:2] if isinstance(e, Note) and e.kind == "prior"]
        prior = [PriorTrial.from_json(data) for data in (stored[0] if stored else ())]
        log = Log(self._setting(created["seed"], created["horizon"]), prior=prior)
        log.append(events)
        self._journal = Journal(log, self.storage, self.name)

    def _check_same(self, strategy: Strategy, seed: int | None) -> None:
        stored = self.created
        described = STRATEGIES.describe(strategy)
        if stored["strategy"] != described:
            raise StudyExistsError(
                f"study {self.name!r} runs strategy {stored['strategy']}, got {described}; take a new study."
            )
        if seed is not None and seed != stored["seed"]:
            raise StudyExistsError(f"study {self.name!r} has seed {stored['seed']}, got {seed}; take a new study.")

    @property
    def is_begun(self) -> bool:
        """Whether the study has a log."""
        return self._journal is not None

    @property
    def journal(self) -> Journal:
        """The log in memory and in storage.

        Raises:
            UsageError: The study has not begun.
        """
        if self._journal is None:
            raise UsageError(f"study {self.name!r} must have begun, got no event yet; call run() or ask() first.")
        return self._journal

    @property
    def created(self) -> dict[str, Any]:
        """What the study is, as its first event says."""
        first = self.journal.log.events()[0]
        assert isinstance(first, Note)
        return dict(first.data)

    @property
    def history(self) -> History:
        """Everything that has happened so far."""
        return self.journal.history()

    @property
    def notes(self) -> list[Note]:
        """The log's bookkeeping events."""
        return [event for event in self.journal.log.events() if isinstance(event, Note)]

    def front(self) -> list[Trial]:
        """Return the finished trials that none dominates, the best first objective first."""
        return self.history.front()

    # -- running ---------------------------------------------------------------------------------

    def run(
        self,
        strategy: Strategy | str,
        *,
        trials: int | None = None,
        minutes: float | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        horizon: int | None = None,
        workers: int = 1,
        executor: Executor | str | None = None,
        patience: float | None = 600.0,
        memory_bytes: int | None = None,
        watch: Callable[[History], None] | None = None,
    ) -> Study:
        """Run the search until the budget is used up or the strategy has finished.

        Args:
            strategy: A strategy, its name or its call.
            trials: Number of trials in the whole study, those of earlier runs included.
            minutes: Time from now on.
            epochs: Epochs trained in the whole study.
            seed: The study's seed; set once.
            horizon: The expected number of trials for schedules; ``trials`` by default; set once.
            workers: Number of evaluations at a time.
            executor: ``"inline"`` (this process; the default for one worker), ``"local"`` (worker
                processes), ``"simulated"`` (this process, as if there were ``workers``, on a clock that
                the estimator charges) or an executor.
            patience: Seconds without a measurement after which a worker process counts as hung: its
                trial fails and the process is replaced; None waits for ever.
            memory_bytes: Most memory of a worker process (Linux): a trial that wants more fails.
            watch: Called with the history after every round.

        Returns:
            The study itself.
        """
        if self.estimator is None:
            raise UsageError("run() needs an estimator, got a study without one; use ask() and tell().")
        budget = Budget(trials, None if minutes is None else 60 * minutes, epochs)
        made_strategy = made(STRATEGIES, strategy)
        journal = self._begin(made_strategy, seed, horizon or trials)
        runner = (
            executor if isinstance(executor, Executor) else make_executor(executor, workers, patience, memory_bytes)
        )
        owner = new_owner()
        self.storage.acquire(self.name, owner)
        journal.owner = owner
        try:
            runner.start(self._workload())
            loop = Loop(
                journal,
                made_strategy,
                self.scheduler,
                runner,
                budget,
                watch,
                tidy=lambda history: self._tidy(made_strategy, history),
                is_random=self.estimator.is_random,
            )
            # Networks hold themselves in cycles, each as much memory as it may: they are not left lying about.
            with nullcontext() if Networks in self.estimator.requires else rare_collection():
                loop.run()
            self._prune(made_strategy, self.history)
        finally:
            runner.close()
            journal.owner = None
            self.storage.release(self.name, owner)
        return self

    def _workload(self) -> Workload:
        assert self.estimator is not None
        task = None if self.task is None else self.task.fit_part(self._notes.get("kind", "search"))
        return Workload(self.estimator, self.space, task, self._device, CheckpointViews(self.store()))

    def begin(self, strategy: Strategy | str, *, seed: int = 0, horizon: int | None = None) -> None:
        """Write the study's first event, which says what it is."""
        self._begin(made(STRATEGIES, strategy), seed, horizon)

    def store(self) -> CheckpointStore:
        """Return where checkpoints are kept: by the database, or in a temporary folder."""
        if self._store is None:
            self._store = CheckpointStore(self.storage.checkpoints(self.name))
        return self._store

    def _tidy(self, strategy: Strategy, history: History) -> None:
        """Prune, but not more than twice a minute: it looks at every trial."""
        if time.monotonic() - self._tidied_at > TIDY_SECONDS:
            self._prune(strategy, history)
            self._tidied_at = time.monotonic()

    def _prune(self, strategy: Strategy, history: History) -> None:
        """Drop the checkpoints that nobody needs any more, beyond ``SURPLUS_BYTES``."""
        if not history.has_checkpoints:
            return
        under_way = history.trials(State.PENDING, State.RUNNING, State.PAUSED)
        needed = {*strategy.keeps(history), *(n for t in under_way for n in (t.number, *t.parents))}
        keep = {trial.checkpoint for trial in map(history.trial, needed) if trial.checkpoint}
        order = ranking(history.losses())[::-1].tolist()
        surplus = [m.checkpoint for n in order for m in history.trial(n).measurements if m.checkpoint]
        if surplus:
            self.store().prune(keep, surplus, budget_bytes=SURPLUS_BYTES)

    def ask(self, strategy: Strategy | str, *, seed: int | None = None, horizon: int | None = None) -> Trial | None:
        """Return the next trial to evaluate, for a loop of one's own; None means "wait".

        Raises:
            SearchFinished: The strategy has nothing left to propose.
        """
        chosen = made(STRATEGIES, strategy)
        journal = self._begin(chosen, seed, horizon)
        for number in self.scheduler.retire(journal.history().sealed()):
            journal.add(Ended(number, State.STOPPED, "not promoted"))
        history = journal.history().sealed()
        proposal = self.scheduler.promote(history)
        proposals = [proposal] if proposal is not None else chosen.ask(history, 1)
        if not proposals:
            if history.trials(State.PENDING, State.RUNNING):
                return None
            journal.flush()
            raise SearchFinished(
                f"{type(chosen).__name__} has nothing left to propose after {history.n_trials} trials."
            )
        event = asked_event(history, proposals[0], 0, self.scheduler)
        journal.add(event)
        journal.flush()
        return journal.history().trial(event.number)

    def tell(
        self, trial: Trial | int, metrics: Mapping[str, float] | str, *, step: int | None = None, seconds: float = 0.0
    ) -> Decision:
        """Record what a trial of ``ask`` gave, and return whether to go on with it.

        Args:
            trial: The trial or its number.
            metrics: Values by name; or a text, the reason why it failed.
            step: The step they belong to; None means the end of the trial's leg.
            seconds: What it cost.

        Returns:
            CONTINUE, or STOP if the trial is over.

        Raises:
            UsageError: The trial is not under way, or a value is no number.
        """
        journal = self.journal
        number = trial if isinstance(trial, int) else trial.number
        current = journal.history().trial(number)
        if current.state not in (State.PENDING, State.RUNNING):
            raise UsageError(f"only a trial under way is told, got trial {number}, which is {current.state}; ask anew.")
        if isinstance(metrics, str):
            journal.add(Ended(number, State.FAILED, metrics))
            journal.flush()
            return Decision.STOP
        end = current.fidelity.epochs
        measurement = _told(end if step is None else step, metrics, seconds)
        journal.add(Measured(number, measurement))
        history = journal.history().sealed()
        seen = history.trial(number)
        decision = self.scheduler.decide(history, seen, seen.measurements[-1])
        is_end = step is None or step >= end > 0
        if is_end or decision is Decision.STOP:
            journal.add(leg_end(journal.history(), number, self.scheduler, stopped=not is_end))
            decision = Decision.STOP
        journal.flush()
        return decision

    # -- results ---------------------------------------------------------------------------------

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file that needs nothing else."""
        from nasturtium._chosen import chosen_networks
        from nasturtium._delivery import results
        from nasturtium._evidence import results_of
        from nasturtium._final import children_of
        from nasturtium.report import write_report

        rows = None if self.task is None else results(self, chosen_networks(self, children_of(self)))
        return write_report(self.history, {**self.created, **results_of(self.notes)}, Path(path), final=rows)

    def export(self, trial: Trial | int, folder: str | Path) -> Path:
        """Write a trial's trained network: ONNX, torch.export, plain source, weights.

        Raises:
            UsageError: The trial has no network or no checkpoint any more.
        """
        from nasturtium._delivery import export_trial

        chosen = self.history.trial(trial if isinstance(trial, int) else trial.number)
        return export_trial(self, chosen, Path(folder)).folder


def _told(step: int, metrics: Mapping[str, float], seconds: float) -> Measurement:
    try:
        return Measurement(step, dict(metrics), seconds)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"a trial is told numbers by metric, or why it failed as a text, got {metrics!r}; pass one of these."
        ) from error


def made(registry: Registry[T], component: T | str) -> T:
    """Return a component that was given as itself, by name or by call.

    Raises:
        UsageError: There is none of that name, or a class was given.
    """
    if isinstance(component, type):
        name = component.__name__
        raise UsageError(f"{registry.kind} is an instance, got the class {name}; write {name}().")
    return registry.create(component) if isinstance(component, str) else component


def _fresh_name(storage: Storage) -> str:
    taken = set(storage.studies())
    number = 1
    while f"study-{number}" in taken:
        number += 1
    return f"study-{number}"
