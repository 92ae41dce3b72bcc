"""The whole job: search, final training, test, export, report."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium._baseline import BASELINE_SHARE, baseline_result, baseline_space, train_baseline
from nasturtium._final import (
    Chosen,
    child_name,
    children_of,
    export_chosen,
    front_json,
    open_final,
    plan_final,
    results,
    test_networks,
)
from nasturtium._planning import SEARCH_SHARE, Plan, check_limits, check_sequences, divide, limited_space
from nasturtium._study import Study, made
from nasturtium.errors import RequirementError, StudyExistsError, UsageError
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.schedulers import SCHEDULERS, Fixed, Scheduler
from nasturtium.spaces import SPACES, Networks, Space
from nasturtium.storage import Storage, open_storage
from nasturtium.strategies import STRATEGIES, Strategy
from nasturtium.trials import History, Limit, Note, Objective, as_objective

if TYPE_CHECKING:
    from nasturtium._registry import Registry
    from nasturtium.report import FinalResults
    from nasturtium.tasks import Problem, Task

EXPORT_SHARE = 0.06
"""Share of the minutes that is kept for testing, export and report."""

HANGING_SECONDS = 1800.0
"""Time without a measurement after which a candidate counts as hung, where no clock runs."""

Watch = Callable[[str, Study, History], None]
"""Called with the phase (``"search"``, ``"final"``, ``"baseline"``, ``"export"``), the study and its history.

Once when a phase begins, and after every round of the engine.
"""


@final
@dataclass(frozen=True)
class Outcome:
    """What a job ends with.

    Args:
        study: The search.
        rows: The front, tested.
        seconds: Spent by phase.
        out: Where networks, ``front.json`` and report are, or None.
        problems: Files that could not be exported, by path, with the reason.
    """

    study: Study
    rows: list[FinalResults]
    seconds: Mapping[str, float]
    out: Path | None
    problems: Mapping[str, str]


def search(
    task: Task | Problem | str,
    *,
    target: str | None = None,
    space: Space | str | None = None,
    strategy: Strategy | str = "regularized-evolution",
    estimator: Estimator | str | None = None,
    scheduler: Scheduler | str = "fixed",
    objectives: Sequence[str | Objective] | None = None,
    limits: Mapping[str, float] | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int = 1,
    executor: str = "local",
    seed: int = 0,
    name: str | None = None,
    storage: Storage | str | None = None,
    out: str | Path | None = None,
    baseline: str | None = None,
) -> Study:
    """Search for small accurate networks on a task, train the best, export them.

    Args:
        task: The data: a ``Task``, a ``Problem``, a built-in name or a path.
        target: Of a table, the column to be told from the others.
        space: Which networks are allowed; by default ``"chain"`` for images, ``"recurrent"`` for
            texts, ``"neurons"`` for problems and ``"mlp"`` for the rest.
        strategy: How to search.
        estimator: How to judge a candidate; by default ``"training"``, whose plain name lets the
            minutes decide its epochs, and ``"simulation"`` for problems; ``"auto"`` takes what an
            audit of this task and space in the same storage recommends.
        scheduler: How far each candidate is trained.
        objectives: What to make small; by default ``valid_error``, of a text ``valid_perplexity``.
        limits: Greatest values by metric.
        minutes: Time for the whole job; 5 if ``trials`` is not given either.
        trials: Number of candidates, instead of minutes.
        workers: Candidates at a time, each in a process of its own with one thread.
        executor: ``"local"`` or ``"inline"``.
        seed: For everything random.
        name: Name in the storage; a stored search of that name goes on where it was.
        storage: URL of a database; None keeps the study in memory.
        out: Folder for networks, ``front.json`` and ``report.html``; None writes nothing.
        baseline: A network of your own, ``"FILE.py:CLASS"``, to be trained by the same recipe for
            comparison.

    Returns:
        The study; ``study.front()`` are the best trials.

    Raises:
        UsageError: An argument is wrong.

    References:
        Elsken, Metzen & Hutter 2019 (arXiv 1808.05377).
    """
    begun = time.monotonic()
    task = loaded_task(task, target)
    stored = _stored_search(task, name, storage, space=space, strategy=strategy, estimator=estimator, seed=seed)
    if stored is not None:
        plan = stored.created["plan"]
        return complete(
            stored,
            executor=executor,
            begun=begun,
            minutes=None if minutes == plan["minutes"] else minutes,
            trials=None if trials == plan["trials"] else trials,
            workers=workers,
            out=None if out is None else writable_folder(out),
        ).study
    study = prepare(
        task,
        target=None,
        space=space,
        strategy=strategy,
        estimator=estimator,
        scheduler=scheduler,
        objectives=objectives,
        limits=limits,
        minutes=minutes,
        trials=trials,
        workers=workers,
        seed=seed,
        name=name,
        storage=storage,
        out=out,
        baseline=baseline,
    )
    return complete(study, executor=executor, begun=begun).study


def loaded_task(task: Task | Problem | str, target: str | None = None) -> Task | Problem:
    """Return the task itself, or the one that a text names."""
    from nasturtium.tasks import load_task

    if not isinstance(task, str):
        return task
    return load_task(task, target=target)


def _stored_search(
    task: Task | Problem,
    name: str | None,
    storage: Storage | str | None,
    *,
    space: Space | str | None,
    strategy: Strategy | str,
    estimator: Estimator | str | None,
    seed: int,
) -> Study | None:
    """Return the stored search of that name, if there is one.

    Raises:
        StudyExistsError: Its components or its seed are others.
    """
    if name is None or storage is None:
        return None
    opened = open_storage(storage) if isinstance(storage, str) else storage
    if not opened.read(name):
        return None
    study = reopen(name, opened, task)
    created = study.created
    trained = created["estimator"]
    if trained.get("name") == "latency":
        trained = trained["arguments"]["of"]
    given: list[tuple[str, Registry[Any], Any]] = [
        ("space", SPACES, space),
        ("strategy", STRATEGIES, strategy),
        ("estimator", ESTIMATORS, "training" if estimator == "auto" else estimator),
    ]
    for part, registry, component in given:
        kept = trained if part == "estimator" else created[part]
        if component is None:
            continue
        if isinstance(component, str) and "(" not in component:
            is_same = kept.get("name") == component  # a plain name leaves the arguments to the plan
        elif part == "space":
            is_same = (
                registry.describe(made(registry, component).on(study.task).limited(**dict(study.space.limits))) == kept
            )
        else:
            is_same = registry.describe(made(registry, component)) == kept
        if not is_same:
            raise StudyExistsError(f"study {name!r} was stored with {part} {kept}, got {component}; take another name.")
    if seed != created["seed"]:
        raise StudyExistsError(f"study {name!r} has seed {created['seed']}, got {seed}; take another name.")
    return study


def prepare(
    task: Task | Problem | str,
    *,
    target: str | None,
    space: Space | str | None,
    strategy: Strategy | str,
    estimator: Estimator | str | None,
    scheduler: Scheduler | str,
    objectives: Sequence[str | Objective] | None,
    limits: Mapping[str, float] | None,
    minutes: float | None,
    trials: int | None,
    workers: int,
    seed: int,
    name: str | None,
    storage: Storage | str | None,
    out: str | Path | None,
    command: str | None = None,
    latency_file: str | Path | None = None,
    baseline: str | None = None,
) -> Study:
    """Check everything, decide how the job is divided, and write the study's first event.

    Raises:
        UsageError: Something is wrong; nothing was written.
    """
    if minutes is None and trials is None:
        minutes = 5.0
    for what, value in {"minutes": minutes, "trials": trials, "workers": workers}.items():
        if value is not None and not value > 0:
            raise UsageError(f"{what} is positive, got {value}; raise it.")
    folder = None if out is None else writable_folder(out)
    loaded = loaded_task(task, target)
    usual_space, usual_estimator, usual_objective = usual(loaded)
    goals = [as_objective(o) for o in objectives or (usual_objective,)]
    bound = made(SPACES, usual_space if space is None else space).on(loaded)
    estimator = usual_estimator if estimator is None else estimator
    if not bound.supports(Networks):
        raise UsageError(f"search() trains networks, got {type(bound).__name__} without any; use nas.Study.")
    check_sequences(bound, loaded)
    bound.graph(bound.sample(np.random.default_rng(0))).infer()  # images and tables do not fit every space
    if baseline is not None:
        from nasturtium.tasks import Problem

        if isinstance(loaded, Problem):
            raise UsageError(f"a baseline is trained on data, got {baseline!r} for {loaded.name}; leave it out.")
        baseline_space(baseline, loaded)
        file, _, cls = baseline.rpartition(":")
        baseline = f"{Path(file).resolve()}:{cls}"
    share = SEARCH_SHARE * (1.0 if baseline is None else 1 - BASELINE_SHARE)
    if estimator == "auto":
        from nasturtium._audit import recommended_training

        storage = open_storage(storage) if storage is None or isinstance(storage, str) else storage
        seconds = None if minutes is None else 60 * minutes * share * workers
        estimator = recommended_training(storage, loaded.content, bound, seconds)
    estimated, plan = divide(bound, loaded, estimator, minutes, trials, workers, dict(limits or {}), share)
    check_judge(loaded, estimated)
    estimated = with_latency(estimated, {*(o.metric for o in goals), *(limits or {})}, latency_file)
    chosen = made(STRATEGIES, strategy)
    if isinstance(strategy, str) and "(" not in strategy:
        chosen = chosen.scaled(plan.expected)
    limited = limited_space(bound, dict(limits or {}))
    check_limits(limited)
    notes = {
        "kind": "search",
        "rejected_share": 1 - limited.feasible_share(np.random.default_rng(seed)),
        "plan": asdict(plan),
        "source": loaded.source,
        "out": None if folder is None else str(folder),
        "baseline": baseline,
        "command": command,
    }
    if made(SCHEDULERS, scheduler) != Fixed() and len(estimated.ladder()) == 1:
        raise RequirementError(
            f"scheduler {scheduler} needs an estimator with several rungs, got one; write "
            "--estimator 'training(epochs=9, rungs=3)'."
        )
    study = Study(
        space=bound,
        estimator=estimated,
        objectives=goals,
        limits=limits,
        task=loaded,
        scheduler=scheduler,
        storage=storage,
        name=name,
        notes=notes,
    )
    study.store()  # the final training and the export need checkpoints, also of a study in memory
    study.begin(chosen, seed=seed, horizon=plan.expected)
    return study


def usual(task: Task | Problem) -> tuple[str, str, str]:
    """Return the space, the estimator and the objective of a task for which nobody named others."""
    from nasturtium.tasks import Problem

    if isinstance(task, Problem):
        return task.space, "simulation", "valid_error"
    space = "recurrent" if task.over_time else "chain" if len(task.input_shape) == 3 else "mlp"
    return space, "training", task.goal.objective


def check_judge(task: Task | Problem, estimator: Estimator) -> None:
    """Refuse to train on a problem, or to simulate data.

    Raises:
        UsageError: It says what to leave out.
    """
    from nasturtium.estimators import Simulation
    from nasturtium.tasks import Problem

    if isinstance(task, Problem) != isinstance(estimator, Simulation):
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


def writable_folder(out: str | Path) -> Path:
    """Return the folder's full path; it need not exist yet.

    Raises:
        UsageError: It can't be written.
    """
    folder = Path(out).resolve()
    parent = folder
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):  # rights alone don't tell, least of all root's
            return folder
    except OSError as error:
        raise UsageError(
            f"--out is a folder that can be written, got {str(out)!r} ({error.strerror}); choose another."
        ) from error


def complete(
    study: Study,
    *,
    executor: str = "local",
    begun: float | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int | None = None,
    out: Path | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run what a prepared or interrupted job still lacks, and return the tested front.

    Args:
        study: A study of ``prepare``.
        executor: ``"local"`` or ``"inline"``.
        begun: When the job began, by ``time.monotonic``.
        minutes: Another time for what is left; None means what the plan has left.
        trials: Another number of trials.
        workers: Another number of workers.
        out: Another folder for the results.
        watch: For displays.
    """
    begun = time.monotonic() if begun is None else begun
    plan = Plan(**study.created["plan"])
    workers = workers or plan.workers
    whole = None if (minutes or plan.minutes) is None else 60 * (minutes or plan.minutes or 0.0)
    spent = {"search": 0.0, "final": 0.0, "export": 0.0}
    clock = time.monotonic()
    used = 0.0 if minutes else _charged(study) / workers
    search_phase(study, plan, executor, workers, minutes, trials, begun, watch)
    spent["search"], clock = time.monotonic() - clock, time.monotonic()

    baseline = study.created.get("baseline")
    kept = 0.0 if baseline is None or whole is None else BASELINE_SHARE * whole
    left = None if whole is None else whole * (1 - EXPORT_SHARE) - used - (time.monotonic() - begun)
    final_phase(study, executor, workers, None if left is None else left - kept, watch)
    spent["final"], clock = time.monotonic() - clock, time.monotonic()

    if baseline is not None and not baseline_result(_notes(study)):
        left = None if whole is None else max(whole * (1 - EXPORT_SHARE) - used - (time.monotonic() - begun), 1.0)
        see = None if watch is None else lambda child: watch("baseline", child, child.history)
        train_baseline(study, baseline, left, see)
        spent = {"search": spent["search"], "final": spent["final"], "baseline": 0.0, "export": 0.0}
        spent["baseline"], clock = time.monotonic() - clock, time.monotonic()

    given = study.created["out"] if out is None else out
    folder = None if given is None else Path(given).resolve()
    rows, problems = deliver(study, folder, spent, watch)
    spent["export"] = time.monotonic() - clock
    delivered = {"n_trials": study.history.n_trials, "seconds": spent, "out": None if folder is None else str(folder)}
    study.journal.add(Note("delivered", delivered))
    study.journal.flush()
    return Outcome(study, rows, spent, folder, problems)


def _notes(study: Study) -> list[Note]:
    return [event for event in study.journal.log.events() if isinstance(event, Note)]


def _charged(study: Study) -> float:
    """Return the seconds that all evaluations of a search and its final trainings were charged."""
    return sum(t.seconds for owner in (study, *children_of(study)) for t in owner.history.trials())


def search_phase(
    study: Study,
    plan: Plan,
    executor: str,
    workers: int,
    minutes: float | None,
    trials: int | None,
    begun: float,
    watch: Watch | None,
) -> None:
    """Run the search, unless its final training has begun already."""
    if study.storage.read(child_name(study)) and minutes is None and trials is None:
        return
    seconds = None
    if minutes is not None:
        seconds = 60 * minutes * SEARCH_SHARE
    elif plan.search_seconds is not None and trials is None:
        charged = sum(t.seconds for t in study.history.trials()) / workers
        seconds = max(0.5, plan.search_seconds - charged - (time.monotonic() - begun))
    wanted = trials if trials is not None else (plan.trials if minutes is None else None)
    strategy = STRATEGIES.restore(study.created["strategy"])
    if watch is not None:
        watch("search", study, study.history)
    study.run(
        strategy,
        patience=_patience(seconds),
        trials=wanted,
        minutes=None if seconds is None else seconds / 60,
        workers=workers,
        executor=executor,
        watch=None if watch is None else lambda history: watch("search", study, history),
    )


def _patience(seconds: float | None) -> float:
    """Return the time without a measurement after which a candidate counts as hung."""
    return HANGING_SECONDS if seconds is None else max(20.0, 0.25 * seconds)


def final_phase(study: Study, executor: str, workers: int, seconds: float | None, watch: Watch | None) -> None:
    """Run the final training, if there is something to train."""
    opened = open_final(study, plan_final(study, seconds, workers))
    if opened is None:
        return
    child, strategy = opened
    child.begin(strategy, seed=study.history.study.seed, horizon=len(strategy.numbers))
    if watch is not None:
        watch("final", child, child.history)
    child.run(
        strategy,
        trials=len(strategy.numbers),
        minutes=None if seconds is None else max(seconds, 1.0) / 60,
        patience=None if seconds is None else max(60.0, seconds),
        seed=study.history.study.seed,
        workers=workers,
        executor=executor,
        watch=None if watch is None else lambda history: watch("final", child, history),
    )


def deliver(
    study: Study, folder: Path | None, spent: Mapping[str, float], watch: Watch | None
) -> tuple[list[FinalResults], dict[str, str]]:
    """Test the front, and write networks, ``front.json`` and report if there is a folder.

    Returns:
        The tested front, and for each file that could not be written the reason.
    """
    if watch is not None:
        watch("export", study, study.history)
    chosen: list[Chosen] = test_networks(study, children_of(study))
    rows = results(study, chosen)
    problems: dict[str, str] = {}
    if folder is None:
        return rows, problems
    folder.mkdir(parents=True, exist_ok=True)
    for entry in chosen:
        exported = export_chosen(study, entry, folder / f"trial-{entry.trial.number}")
        problems |= {str(exported.folder / file): reason for file, reason in exported.problems.items()}
    replace_file(folder / "front.json", json.dumps(front_json(study, rows), indent=2))
    from nasturtium.report import write_report

    known = {**study.created, "spent": dict(spent), **baseline_result(_notes(study))}
    write_report(study.history, known, folder / "report.html", final=rows)
    return rows, problems


def replace_file(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def reopen(name: str, storage: Storage | str, task: Task | Problem | None = None) -> Study:
    """Return a stored study, with its components made again from the log.

    Args:
        name: Its name.
        storage: Where it is.
        task: Its data; None loads them again from where they came.

    Raises:
        UsageError: There is no such study, or a component lives in a script.
    """
    import nasturtium.benchmarking  # noqa: F401 - enters the estimators of tables in the registry
    from nasturtium.errors import near_matches
    from nasturtium.tasks import load_task

    opened = open_storage(storage, create=False) if isinstance(storage, str) else storage
    events = opened.read(name)
    if not events:
        names = opened.studies()
        hint = near_matches(name, names) if names else "there is none yet; run `nasturtium search`."
        raise UsageError(f"no study {name!r} in this storage; {hint}")
    created: dict[str, Any] = dict(events[0].data)  # type: ignore[union-attr]
    if created.get("kind") == "final":
        raise UsageError(
            f"a final training belongs to its search, got {name!r}; name the search {created['parent']!r}."
        )
    source = created.get("source")
    if task is None and source is None and created["task"] is not None:
        raise UsageError(
            f"study {name!r} used data of a script, got no source to load it from; run that script again with "
            f"nas.search(..., name={name!r})."
        )
    return Study(
        space=SPACES.restore(created["space"]),
        estimator=None if created["estimator"] is None else ESTIMATORS.restore(created["estimator"]),
        objectives=[Objective(metric, maximize) for metric, maximize in created["objectives"]],
        limits={Limit(*pair).metric: Limit(*pair).bound for pair in created["limits"]},
        task=load_task(source) if task is None and source is not None else task,
        scheduler=SCHEDULERS.restore(created["scheduler"]),
        storage=opened,
        name=name,
    )
