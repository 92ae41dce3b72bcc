"""A search from Python, new or stored."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nasturtium._complete import complete
from nasturtium._files import writable_folder
from nasturtium._prepare import loaded_task, prepare
from nasturtium._request import Request
from nasturtium._study import Study, made
from nasturtium.errors import StudyExistsError, UsageError
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.schedulers import SCHEDULERS, Scheduler
from nasturtium.spaces import SPACES, Space
from nasturtium.storage import Storage, open_storage
from nasturtium.strategies import STRATEGIES, Strategy
from nasturtium.trials import Limit, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nasturtium._registry import Registry
    from nasturtium.tasks import Problem, Task


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
    memory_bytes: int | None = None,
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
        memory_bytes: Most memory of such a process (Linux); a candidate that wants more fails.
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
    request = Request(
        task=task,
        target=target,
        space=space,
        strategy=strategy,
        estimator=estimator,
        scheduler=scheduler,
        objectives=objectives or (),
        limits=limits or {},
        minutes=minutes,
        trials=trials,
        workers=workers,
        memory_bytes=memory_bytes,
        seed=seed,
        name=name,
        storage=storage,
        out=out,
        baseline=baseline,
    )
    loaded = loaded_task(task, target)
    stored = _stored_search(request, loaded)
    if stored is None:
        return complete(prepare(replace(request, task=loaded)), executor=executor, begun=begun).study
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


def _stored_search(request: Request, task: Task | Problem) -> Study | None:
    """Return the stored search of that name, if there is one.

    Raises:
        StudyExistsError: Its components or its seed are others.
    """
    name, storage = request.name, request.storage
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
        ("space", SPACES, request.space),
        ("strategy", STRATEGIES, request.strategy),
        ("estimator", ESTIMATORS, "training" if request.estimator == "auto" else request.estimator),
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
    if request.seed != created["seed"]:
        raise StudyExistsError(f"study {name!r} has seed {created['seed']}, got {request.seed}; take another name.")
    return study


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
