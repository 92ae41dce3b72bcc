"""How a job is divided: time for the search, epochs for a candidate."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium._study import made
from nasturtium.errors import NoFeasibleNeighbor, ShapeError, UsageError
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.spaces import Genomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.spaces import Space
    from nasturtium.tasks import Problem, Task

SEARCH_SHARE = 0.55
"""Share of the minutes that goes to the search; final training and export get the rest."""

WANTED_TRIALS = 40
"""So many trials a search by the clock aims at, before it trains each for longer."""

MOST_SEARCH_EPOCHS = 10
"""Longest training in a search by the clock; more time gives more candidates."""

LEAST_STEPS = 80
"""Steps that a candidate's training has at least, if it can; on few examples it takes more epochs."""


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


def check_sequences(space: Space, task: Task | Problem) -> None:
    """Raise one clear line unless networks that remember meet a task of sequences.

    Raises:
        UsageError: One of the two has no time axis.
    """
    from nasturtium.tasks import Problem

    if isinstance(task, Problem):  # a network may remember what it saw before, or not
        return
    free = space.unlimited()
    try:
        remembers = free.graph(free.sample(np.random.default_rng(0))).is_recurrent
    except ShapeError:  # of a network of images that meets tokens, say; others fail where they are built
        remembers = False
    if task.over_time and not remembers:
        raise UsageError(
            f"a text is for networks that remember, got {type(space).__name__}; take the space recurrent, or "
            "recurrent-darts."
        )
    if remembers and not task.over_time:
        raise UsageError(
            f"{type(space).__name__} has networks for sequences, got task {task.name!r}, which has none; take a text, "
            "such as text:tinyshakespeare, or another space."
        )


def divide(
    space: Space,
    task: Task | Problem,
    estimator: Estimator | str,
    minutes: float | None,
    trials: int | None,
    workers: int,
    limits: Mapping[str, float],
    share: float = SEARCH_SHARE,
) -> tuple[Estimator, Plan]:
    """Return the estimator with its epochs, and the plan, for a budget.

    Without a clock, candidates have the estimator's epochs, more where an epoch is a few steps.

    By the clock, a few steps of three random networks are timed, and candidates are trained for as
    many epochs as leave about ``WANTED_TRIALS`` trials; if not even one epoch does, on a share of
    the data. The search gets ``share`` of the minutes.
    """
    from nasturtium.tasks import Problem

    made_estimator = made(ESTIMATORS, estimator)
    seconds = None if minutes is None else 60 * minutes * share
    if isinstance(task, Problem):
        if seconds is None or trials is not None:
            return made_estimator, Plan(trials, minutes, seconds, trials or WANTED_TRIALS, workers, "as given")
        expected = max(int(seconds * workers / time_simulation(limited_space(space, limits), task)), WANTED_TRIALS)
        return made_estimator, Plan(None, minutes, seconds, expected, workers, f"about {expected:,} candidates")
    from nasturtium.estimators import Training

    steps = task.train.n_batches(Training().settings(task.recipe).batch_size)
    enough = -(-LEAST_STEPS // steps)
    if seconds is None or trials is not None or estimator != "training":
        why = "as given" if minutes is None else f"{share:.0%} of the time to the search"
        if estimator == "training":
            made_estimator = Training(epochs=max(Training().epochs, enough))
        return made_estimator, Plan(trials, minutes, seconds, trials or WANTED_TRIALS, workers, why)
    per_epoch = time_epoch(limited_space(space, limits), task)
    epochs_in_all = seconds * workers / per_epoch
    epochs = int(np.clip(epochs_in_all / WANTED_TRIALS, 1, max(MOST_SEARCH_EPOCHS, enough)))
    # An epoch of a text is hundreds of steps, and a share of them tells good cells from bad ones.
    more = 1.0 if task.over_time else 2.5
    fraction = float(np.clip(round(more * epochs_in_all / WANTED_TRIALS, 2), 0.05, 1.0))
    expected = max(4, int(epochs_in_all / epochs / fraction))
    why = (
        f"an epoch of a typical network takes {per_epoch:.2g} s, so {share:.0%} of the time gives about "
        f"{expected} candidates {epochs} epoch{'s' * (epochs > 1)}"
        + (f" on {fraction:.0%} of the data" if fraction < 1 else "")
    )
    return Training(epochs=epochs, fraction=fraction), Plan(trials, minutes, seconds, expected, workers, why)


def limited_space(space: Space, limits: Mapping[str, float]) -> Space:
    from nasturtium.spaces import COSTS

    return space.limited(**{cost: bound for cost, bound in limits.items() if cost in COSTS})


def time_simulation(space: Space, problem: Problem, n: int = 30) -> float:
    """Return the seconds that a candidate of a problem takes: those that do well take longer than random ones."""
    assert isinstance(space, Genomes)
    rng = np.random.default_rng(0)
    begun = time.perf_counter()
    for _ in range(n):
        problem.score(space, space.sample(rng))
    return 2 * (time.perf_counter() - begun) / n + 0.002


def time_epoch(space: Space, task: Task, steps: int = 6) -> float:
    """Return the seconds that an epoch of a typical network takes in one thread."""
    import torch

    from nasturtium.estimators._descent import Descent
    from nasturtium.estimators._recipes import RECIPES
    from nasturtium.networks import accelerated, build, carried
    from nasturtium.tasks import batches

    check_limits(space)
    rng = np.random.default_rng(0)
    candidates = sorted((space.sample(rng) for _ in range(15)), key=lambda a: space.cost(a, "flops"))
    split = task.for_search().train
    recipe = RECIPES[task.recipe]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = []
        for architecture in dict.fromkeys(candidates[4:11:3]):  # a network made by hand has no others beside it
            network = build(space.graph(architecture).simplified()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            running, descent = carried(accelerated(network)), Descent(network, recipe)
            stamps = []
            for (x, y), _ in zip(batches(split, recipe.batch_size), range(steps), strict=False):
                stamps.append(time.perf_counter())
                descent.zero_grad()
                torch.autograd.backward(task.loss(running(x), y))
                descent.step(0.5)
            stamps.append(time.perf_counter())
            times.append(median(b - a for a, b in itertools.pairwise(stamps)) if len(stamps) > 2 else 0.1)
    finally:
        torch.set_num_threads(threads)
    # Validation, statistics of normalization and the checkpoint come on top of the steps.
    return 1.3 * median(times) * split.n_batches(recipe.batch_size)
