"""The whole job: search, final training, test, export, report."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium._final import (
    Chosen,
    child_name,
    export_chosen,
    front_json,
    open_final,
    plan_final,
    results,
    test_networks,
)
from nasturtium._study import Study, made
from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.schedulers import SCHEDULERS, Scheduler
from nasturtium.spaces import SPACES, Networks, Space
from nasturtium.storage import Storage, open_storage
from nasturtium.strategies import STRATEGIES, Strategy
from nasturtium.trials import History, Limit, Note, Objective, as_objective

if TYPE_CHECKING:
    from nasturtium.report import FinalResults
    from nasturtium.tasks import Task

SEARCH_SHARE = 0.55
"""Share of the minutes that goes to the search; final training and export get the rest."""

EXPORT_SHARE = 0.06
"""Share of the minutes that is kept for testing, export and report."""

HANGING_SECONDS = 600.0
"""Time without a measurement after which a candidate counts as hung; by the clock, a quarter of the search."""

WANTED_TRIALS = 40
"""So many trials a search by the clock aims at, before it trains each for longer."""

MOST_SEARCH_EPOCHS = 10
"""Longest training in a search by the clock; more time gives more candidates."""

Watch = Callable[[str, Study, History], None]
"""Called with the phase (``"search"``, ``"final"``, ``"export"``), the study and its history.

Once when a phase begins, and after every round of the engine.
"""


@final
@dataclass(frozen=True)
class Plan:
    """How a job is divided.

    Args:
        trials: Number of trials, or None.
        minutes: The whole job's time, or None.
        search_seconds: The search's part, or None.
        expected: The expected number of trials, for schedules.
        workers: Evaluations at a time.
        why: One sentence on how this came about.
    """

    trials: int | None
    minutes: float | None
    search_seconds: float | None
    expected: int
    workers: int
    why: str


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
    task: Task | str,
    *,
    space: Space | str = "chain",
    strategy: Strategy | str = "regularized-evolution",
    estimator: Estimator | str = "training",
    scheduler: Scheduler | str = "fixed",
    objectives: Sequence[str | Objective] = ("valid_error",),
    limits: Mapping[str, float] | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int = 1,
    executor: str = "local",
    seed: int = 0,
    name: str | None = None,
    storage: Storage | str | None = None,
    out: str | Path | None = None,
) -> Study:
    """Search for small accurate networks on a task, train the best, export them.

    Args:
        task: The data: a ``Task``, a built-in name or a path.
        space: Which networks are allowed.
        strategy: How to search.
        estimator: How to judge a candidate; the plain name lets the minutes decide its epochs.
        scheduler: How far each candidate is trained.
        objectives: What to make small.
        limits: Greatest values by metric.
        minutes: Time for the whole job; 5 if ``trials`` is not given either.
        trials: Number of candidates, instead of minutes.
        workers: Candidates at a time, each in a process of its own with one thread.
        executor: ``"local"`` or ``"inline"``.
        seed: For everything random.
        name: Name in the storage.
        storage: URL of a database; None keeps the study in memory.
        out: Folder for networks, ``front.json`` and ``report.html``; None writes nothing.

    Returns:
        The study; ``study.front()`` are the best trials.

    Raises:
        UsageError: An argument is wrong.

    References:
        Elsken, Metzen & Hutter 2019 (arXiv 1808.05377).
    """
    begun = time.monotonic()
    study = prepare(
        task,
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
    )
    return complete(study, executor=executor, begun=begun).study


def prepare(
    task: Task | str,
    *,
    space: Space | str,
    strategy: Strategy | str,
    estimator: Estimator | str,
    scheduler: Scheduler | str,
    objectives: Sequence[str | Objective],
    limits: Mapping[str, float] | None,
    minutes: float | None,
    trials: int | None,
    workers: int,
    seed: int,
    name: str | None,
    storage: Storage | str | None,
    out: str | Path | None,
    command: str | None = None,
) -> Study:
    """Check everything, decide how the job is divided, and write the study's first event.

    Raises:
        UsageError: Something is wrong; nothing was written.
    """
    from nasturtium.tasks import load_task

    if minutes is None and trials is None:
        minutes = 5.0
    for what, value in {"minutes": minutes, "trials": trials, "workers": workers}.items():
        if value is not None and not value > 0:
            raise UsageError(f"{what} is positive, got {value}; raise it.")
    folder = None if out is None else writable_folder(out)
    loaded = load_task(task) if isinstance(task, str) else task
    goals = [as_objective(o) for o in objectives]
    bound = made(SPACES, space).on(loaded)
    if not bound.supports(Networks):
        raise UsageError(f"search() trains networks, got {type(bound).__name__} without any; use nas.Study.")
    estimated, plan = divide(bound, loaded, estimator, minutes, trials, workers, dict(limits or {}))
    chosen = made(STRATEGIES, strategy)
    if isinstance(strategy, str) and "(" not in strategy:
        chosen = chosen.scaled(plan.expected)
    limited = _limited(bound, dict(limits or {}))
    check_limits(limited)
    notes = {
        "kind": "search",
        "rejected_share": 1 - limited.feasible_share(np.random.default_rng(seed)),
        "plan": asdict(plan),
        "source": loaded.source,
        "out": None if folder is None else str(folder),
        "command": command,
    }
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


def check_limits(space: Space) -> None:
    """Raise one clear line if the limits leave (nearly) nothing.

    Raises:
        UsageError: With the smallest cost that was seen.
    """
    if not space.limits:
        return
    try:
        space.sample(np.random.default_rng(0))
    except NoFeasibleNeighbor as error:
        free = space.unlimited()
        rng = np.random.default_rng(0)
        seen = [free.sample(rng) for _ in range(300)]
        least = {cost: min(free.cost(a, cost) for a in seen) for cost, _ in space.limits}
        got = ", ".join(f"{cost}={bound:g} (smallest seen {least[cost]:g})" for cost, bound in space.limits)
        raise UsageError(f"a limit must leave some networks of the space, got {got}; loosen it.") from error


def divide(
    space: Space,
    task: Task,
    estimator: Estimator | str,
    minutes: float | None,
    trials: int | None,
    workers: int,
    limits: Mapping[str, float],
) -> tuple[Estimator, Plan]:
    """Return the estimator with its epochs, and the plan, for a budget.

    By the clock, a few steps of three random networks are timed, and candidates are trained for as
    many epochs as leave about ``WANTED_TRIALS`` trials; if not even one epoch does, on a share of
    the data.
    """
    made_estimator = made(ESTIMATORS, estimator)
    seconds = None if minutes is None else 60 * minutes * SEARCH_SHARE
    if seconds is None or trials is not None or estimator != "training":
        why = "as given" if minutes is None else f"{SEARCH_SHARE:.0%} of the time to the search"
        return made_estimator, Plan(trials, minutes, seconds, trials or WANTED_TRIALS, workers, why)
    from nasturtium.estimators import Training

    per_epoch = time_epoch(_limited(space, limits), task)
    epochs_in_all = seconds * workers / per_epoch
    epochs = int(np.clip(epochs_in_all / WANTED_TRIALS, 1, MOST_SEARCH_EPOCHS))
    fraction = float(np.clip(round(2.5 * epochs_in_all / WANTED_TRIALS, 2), 0.05, 1.0))
    expected = max(4, int(epochs_in_all / epochs / fraction))
    why = (
        f"an epoch of a typical network takes {per_epoch:.2g} s, so {SEARCH_SHARE:.0%} of the time gives about "
        f"{expected} candidates {epochs} epoch{'s' * (epochs > 1)}"
        + (f" on {fraction:.0%} of the data" if fraction < 1 else "")
    )
    return Training(epochs=epochs, fraction=fraction), Plan(trials, minutes, seconds, expected, workers, why)


def _limited(space: Space, limits: Mapping[str, float]) -> Space:
    from nasturtium.spaces import COSTS

    return space.limited(**{cost: bound for cost, bound in limits.items() if cost in COSTS})


def time_epoch(space: Space, task: Task, steps: int = 6) -> float:
    """Return the seconds that an epoch of a typical network takes in one thread."""
    import torch

    from nasturtium.estimators._training import Training
    from nasturtium.networks import build
    from nasturtium.tasks import batches

    check_limits(space)
    rng = np.random.default_rng(0)
    candidates = sorted((space.sample(rng) for _ in range(15)), key=lambda a: space.cost(a, "flops"))
    split = task.for_search().train
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = []
        for architecture in candidates[4:11:3]:
            recipe = Training()
            network = build(space.graph(architecture).simplified()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            optimizer = recipe.optimizer(network)
            stamps = []
            for (x, y), _ in zip(batches(split, recipe.batch_size), range(steps), strict=False):
                stamps.append(time.perf_counter())
                optimizer.zero_grad()
                torch.autograd.backward(task.loss(network(x), y))
                optimizer.step()
            stamps.append(time.perf_counter())
            times.append(median(b - a for a, b in itertools.pairwise(stamps)) if len(stamps) > 2 else 0.1)
    finally:
        torch.set_num_threads(threads)
    # Validation, statistics of normalization and the checkpoint come on top of the steps.
    return 1.3 * median(times) * -(-len(split) // 64)


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
    search_phase(study, plan, executor, workers, minutes, trials, begun, watch)
    spent["search"], clock = time.monotonic() - clock, time.monotonic()

    left = None if whole is None else whole * (1 - EXPORT_SHARE) - (time.monotonic() - begun)
    child = final_phase(study, executor, workers, left, watch)
    spent["final"], clock = time.monotonic() - clock, time.monotonic()

    given = study.created["out"] if out is None else out
    folder = None if given is None else Path(given).resolve()
    rows, problems = deliver(study, child, folder, spent, watch)
    spent["export"] = time.monotonic() - clock
    delivered = {"n_trials": study.history.n_trials, "seconds": spent, "out": None if folder is None else str(folder)}
    study.journal.add(Note("delivered", delivered))
    study.journal.flush()
    return Outcome(study, rows, spent, folder, problems)


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
        trials=wanted,
        minutes=None if seconds is None else seconds / 60,
        workers=workers,
        executor=executor,
        watch=None if watch is None else lambda history: watch("search", study, history),
    )


def final_phase(study: Study, executor: str, workers: int, seconds: float | None, watch: Watch | None) -> Study | None:
    """Run the final training and return its study; None if there is nothing to train."""
    opened = open_final(study, plan_final(study, seconds, workers))
    if opened is None:
        return None
    child, strategy = opened
    child.begin(strategy, seed=study.history.study.seed, horizon=len(strategy.numbers))
    if watch is not None:
        watch("final", child, child.history)
    child.run(
        strategy,
        trials=len(strategy.numbers),
        minutes=None if seconds is None else max(seconds, 1.0) / 60,
        seed=study.history.study.seed,
        workers=workers,
        executor=executor,
        watch=None if watch is None else lambda history: watch("final", child, history),
    )
    return child


def deliver(
    study: Study, child: Study | None, folder: Path | None, spent: Mapping[str, float], watch: Watch | None
) -> tuple[list[FinalResults], dict[str, str]]:
    """Test the front, and write networks, ``front.json`` and report if there is a folder.

    Returns:
        The tested front, and for each file that could not be written the reason.
    """
    if watch is not None:
        watch("export", study, study.history)
    chosen: list[Chosen] = test_networks(study, child)
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

    write_report(study.history, {**study.created, "spent": dict(spent)}, folder / "report.html", final=rows)
    return rows, problems


def replace_file(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def reopen(name: str, storage: Storage | str) -> Study:
    """Return a stored study, with its components made again from the log.

    Raises:
        UsageError: There is no such study, or a component lives in a script.
    """
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
    if source is None and created["task"] is not None:
        raise UsageError(
            f"study {name!r} used data of a script, got no source to load it from; run that script again with "
            f"nas.Study(..., name={name!r})."
        )
    return Study(
        space=SPACES.restore(created["space"]),
        estimator=None if created["estimator"] is None else ESTIMATORS.restore(created["estimator"]),
        objectives=[Objective(metric, maximize) for metric, maximize in created["objectives"]],
        limits={Limit(*pair).metric: Limit(*pair).bound for pair in created["limits"]},
        task=None if source is None else load_task(source),
        scheduler=SCHEDULERS.restore(created["scheduler"]),
        storage=opened,
        name=name,
    )
