"""What comes before a search: everything checked, the time divided, the first event written."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasturtium._baseline import BASELINE_SHARE, baseline_space
from nasturtium._execution import check_memory_leaves_room
from nasturtium._files import writable_folder
from nasturtium._planning import SEARCH_SHARE, Plan, check_limits, check_sequences, divide, limited_space
from nasturtium._study import Study, made
from nasturtium.engine import Workload
from nasturtium.errors import RequirementError, UsageError
from nasturtium.schedulers import SCHEDULERS, Fixed
from nasturtium.spaces import SPACES, Networks, Space
from nasturtium.storage import open_storage
from nasturtium.strategies import STRATEGIES, Strategy
from nasturtium.trials import as_objective

if TYPE_CHECKING:
    from collections.abc import Collection

    from nasturtium._request import Request
    from nasturtium._subject import Subject
    from nasturtium.estimators import Estimator
    from nasturtium.storage import Storage
    from nasturtium.tasks import Problem, Task


def prepare(request: Request) -> Study:
    """Check everything, decide how the job is divided, and write the study's first event.

    Raises:
        UsageError: Something is wrong; nothing was written.
    """
    from nasturtium._subject import subject_of

    folder = None if request.out is None else writable_folder(request.out)
    task = loaded_task(request.task, request.target)
    subject = subject_of(task)
    goals = [as_objective(o) for o in request.objectives or (subject.objective,)]
    bound = bound_space(request, task, subject)
    baseline = checked_baseline(request.baseline, task, subject)
    limits = dict(request.limits)
    limited = limited_space(bound, limits)
    storage = request.storage
    if request.estimator == "auto":
        storage = open_storage(storage) if storage is None or isinstance(storage, str) else storage
    estimator, plan = divided(request, task, subject, bound, storage)
    check_judge(subject, task, estimator)
    estimator = with_latency(estimator, {*(o.metric for o in goals), *limits}, request.latency_file)
    check_limits(limited)
    check_rungs(request, estimator)
    if request.memory_bytes is not None:
        check_memory_leaves_room(Workload(estimator, bound, task.fit_part("search")), request.memory_bytes)
    study = Study(
        space=bound,
        estimator=estimator,
        objectives=goals,
        limits=limits,
        task=task,
        scheduler=request.scheduler,
        storage=storage,
        name=request.name,
        notes={
            "kind": "search",
            "rejected_share": 1 - limited.feasible_share(np.random.default_rng(request.seed)),
            "plan": asdict(plan),
            "source": task.source,
            "out": None if folder is None else str(folder),
            "baseline": baseline,
            "memory_bytes": request.memory_bytes,
            "command": request.command,
        },
    )
    study.store()  # the final training and the export need checkpoints, also of a study in memory
    study.begin(scaled_strategy(request.strategy, plan), seed=request.seed, horizon=plan.expected)
    return study


def loaded_task(task: Task | Problem | str, target: str | None = None) -> Task | Problem:
    """Return the task itself, or the one that a text names."""
    from nasturtium.tasks import load_task

    if not isinstance(task, str):
        return task
    return load_task(task, target=target)


def bound_space(request: Request, task: Task | Problem, subject: Subject) -> Space:
    """Return the space that is searched, bound to the task.

    Raises:
        UsageError: Its networks do not fit the task, or it has none.
    """
    bound = made(SPACES, subject.space if request.space is None else request.space).on(task)
    if not bound.supports(Networks):
        raise UsageError(f"search() trains networks, got {type(bound).__name__} without any; use nas.Study.")
    check_sequences(bound, task)
    bound.graph(bound.sample(np.random.default_rng(0))).infer()  # images and tables do not fit every space
    return bound


def checked_baseline(baseline: str | None, task: Task | Problem, subject: Subject) -> str | None:
    """Return a user's network as the log names it, with the full path of its file; None without one.

    Raises:
        UsageError: It does not fit the task.
    """
    if baseline is None:
        return None
    if not subject.trains:
        raise UsageError(f"a baseline is trained on data, got {baseline!r} for {task.name}; leave it out.")
    baseline_space(baseline, task)  # type: ignore[arg-type] # networks are trained on a Task only
    file, _, cls = baseline.rpartition(":")
    return f"{Path(file).resolve()}:{cls}"


def divided(
    request: Request, task: Task | Problem, subject: Subject, bound: Space, storage: Storage | str | None
) -> tuple[Estimator, Plan]:
    """Return the estimator and how the job is divided.

    Args:
        request: What is asked for.
        task: The data.
        subject: The same, as those who test see it.
        bound: The space, bound to the task.
        storage: Open already where an audit decides.
    """
    estimator = subject.estimator if request.estimator is None else request.estimator
    share = SEARCH_SHARE * (1.0 if request.baseline is None else 1 - BASELINE_SHARE)
    minutes = request.time
    if estimator == "auto":
        from nasturtium._audit import recommended_training

        assert storage is not None
        assert not isinstance(storage, str)
        seconds = None if minutes is None else 60 * minutes * share * request.workers
        estimator = recommended_training(storage, task.content, bound, seconds)
    judge, plan = divide(bound, task, estimator, minutes, request.trials, request.workers, request.limits, share)
    if request.baseline is not None and minutes is not None:
        kept = f"{plan.why}; {BASELINE_SHARE:.0%} is the baseline's, as much as search and final training get"
        plan = replace(plan, why=kept)
    return judge, plan


def scaled_strategy(strategy: Strategy | str, plan: Plan) -> Strategy:
    """Return the strategy; a plain name leaves its schedules to the number of trials to expect."""
    chosen = made(STRATEGIES, strategy)
    return chosen.scaled(plan.expected) if isinstance(strategy, str) and "(" not in strategy else chosen


def check_rungs(request: Request, estimator: Estimator) -> None:
    """Refuse a scheduler that has nothing to promote.

    Raises:
        RequirementError: The estimator has a single fidelity.
    """
    if made(SCHEDULERS, request.scheduler) != Fixed() and len(estimator.ladder()) == 1:
        raise RequirementError(
            f"scheduler {request.scheduler} needs an estimator with several rungs, got one; write "
            "--estimator 'training(epochs=9, rungs=3)'."
        )


def check_judge(subject: Subject, task: Task | Problem, estimator: Estimator) -> None:
    """Refuse to train on a problem, or to simulate data.

    Raises:
        UsageError: It says what to leave out.
    """
    from nasturtium.estimators import Simulation

    if subject.trains == isinstance(estimator, Simulation):
        raise UsageError(
            f"a problem is simulated and data are trained on, got {type(estimator).__name__} for {task.name}; leave "
            "--estimator out."
        )


def with_latency(estimator: Estimator, metrics: Collection[str], file: str | Path | None) -> Estimator:
    """Return the estimator that tells the latency, too, if it is asked for.

    Args:
        estimator: What trains.
        metrics: Of the objectives and limits.
        file: Another device's measurements; None measures here.

    Raises:
        UsageError: The file is none, or serves nothing.
    """
    from nasturtium.latency import METRIC, Latency, read_file

    if METRIC in metrics and METRIC not in estimator.metrics():
        if file is not None:
            read_file(Path(file))
        return Latency(estimator, "" if file is None else str(Path(file).resolve()))
    if file is not None:
        raise UsageError(
            f"a latency file serves the objective or limit {METRIC}, got {sorted(metrics)}; add --minimize {METRIC}."
        )
    return estimator
