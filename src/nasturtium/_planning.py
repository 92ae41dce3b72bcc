"""How a job is divided: time for the search, epochs for a candidate."""

from __future__ import annotations

import itertools
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium._study import made
from nasturtium.errors import NoFeasibleNeighbor, ShapeError, UsageError
from nasturtium.estimators import ESTIMATORS, Estimator
from nasturtium.spaces import Genomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nasturtium.networks import Network
    from nasturtium.spaces import Architecture, Space
    from nasturtium.tasks import Problem, Task

SEARCH_SHARE = 0.55
"""Share of the minutes that goes to the search; final training and export get the rest."""

WANTED_TRIALS = 40
"""So many trials a search by the clock aims at, before it trains each for longer."""

MOST_SEARCH_EPOCHS = 10
"""Longest training in a search by the clock; more time gives more candidates."""

LEAST_STEPS = 80
"""Steps that a candidate's training has at least, if it can; on few examples it takes more epochs."""

PRUDENCE = 0.6
"""Share of the candidates that there would be time for by training alone, to expect: others take longer than
the typical one, workers start and wait, and a schedule that ends early is better than one that never does."""


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
    the data. An estimator that says more than its name is timed as it is, which tells how many
    candidates to expect. The search gets ``share`` of the minutes.
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
        expected = trials or WANTED_TRIALS
        each = None if seconds is None else time_candidate(limited_space(space, limits), task, made_estimator)
        if seconds is not None and each is not None:
            affordable = max(4, int(PRUDENCE * seconds * workers / each))
            expected = min(trials or affordable, affordable)
            why += f", enough for about {affordable:,} candidates, of which a typical one is trained for {each:.2g} s"
        return made_estimator, Plan(trials, minutes, seconds, expected, workers, why)
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


def time_candidate(space: Space, task: Task, estimator: Estimator) -> float | None:
    """Return the seconds that a typical network is trained for, to the last rung; None if none is trained.

    A scheduler that ends most trials sooner leaves time for more candidates than are then expected.
    """
    from nasturtium.estimators._reduced import reduced

    full = estimator.ladder()[-1].fidelity
    if estimator.final(1) is None or not full.epochs:
        return None
    return full.epochs * time_epoch(*reduced(space, task.for_search(), full))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread of this process, as workers do.

    On a machine that others use as well, threads that wait for each other took a hundred times longer.
    Where torch is not loaded there are no tensors, so nothing is trained.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def time_epoch(space: Space, task: Task) -> float:
    """Return the seconds that an epoch of a typical network takes in one thread, validation included."""
    check_limits(space)
    rng = np.random.default_rng(0)
    candidates = sorted((space.sample(rng) for _ in range(15)), key=lambda a: space.cost(a, "flops"))
    typical = dict.fromkeys(candidates[4:11:3])  # a network made by hand has no others beside it
    return time_epoch_of(typical, space, task)


def time_epoch_of(architectures: Iterable[Architecture], space: Space, task: Task) -> float:
    """Return the seconds that an epoch of the median of some networks takes in one thread, validation included."""
    from nasturtium.estimators._judging import JUDGING_BATCH
    from nasturtium.estimators._recipes import RECIPES
    from nasturtium.networks import build

    data = task.for_search()
    with one_thread():
        times = [time_batches(build(space.graph(a).simplified()), data) for a in architectures]
    training, judging = np.median(times, axis=0).tolist()
    # Statistics of normalization and the checkpoint come on top of the steps.
    steps = data.train.n_batches(RECIPES[task.recipe].batch_size)
    return float(1.3 * training * steps + judging * data.valid.n_batches(JUDGING_BATCH))


def time_batches(network: Network, data: Task, n: int = 6) -> tuple[float, float]:
    """Return the seconds that a step of training and a batch of validation take, from n of each."""
    import torch

    from nasturtium.estimators._descent import Descent
    from nasturtium.estimators._judging import JUDGING_BATCH
    from nasturtium.estimators._recipes import RECIPES
    from nasturtium.networks import accelerated, carried
    from nasturtium.tasks import batches

    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe = RECIPES[data.recipe]
    fast, descent = accelerated(network), Descent(network, recipe)
    running = carried(fast)
    stamps = [time.perf_counter()]
    for (x, y), _ in zip(batches(data.train, recipe.batch_size), range(n), strict=False):
        descent.zero_grad()
        torch.autograd.backward(data.loss(running(x), y))
        descent.step(0.5)
        stamps.append(time.perf_counter())
    training = typical_lap(stamps) if len(stamps) > 2 else 0.1  # the first step is slow
    network.eval()
    running = carried(fast)  # a text begins anew
    stamps = [time.perf_counter()]
    with torch.no_grad():
        for (x, _), _ in zip(batches(data.valid, JUDGING_BATCH), range(n), strict=False):
            running(x)
            stamps.append(time.perf_counter())
    return training, typical_lap(stamps)


def typical_lap(stamps: Sequence[float]) -> float:
    """Return the median time between stamps; 0 where there is but one."""
    return median(b - a for a, b in itertools.pairwise(stamps)) if len(stamps) > 1 else 0.0
