"""The fidelity audit: how far a cheap estimate is to be trusted, measured on the user's own task.

A stratified sample of architectures is trained at several fidelities, each with a seed of its own,
and fully with two seeds. It is a study (``kind="audit"``) like any other, so it survives a kill and
takes workers; its last note is the recommendation, which ``--estimator auto`` reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium._audit_statistics import Interval, agreement, better_half, bootstrap, ceiling, selection_gain
from nasturtium._planning import time_epoch
from nasturtium._study import Study, made
from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES, Networks
from nasturtium.strategies import Strategy
from nasturtium.trials import Fidelity, Note, Proposal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nasturtium.estimators import Training
    from nasturtium.spaces import Architecture, Space
    from nasturtium.storage import Storage
    from nasturtium.tasks import Problem, Task
    from nasturtium.trials import History

FULL_SEEDS = 2
LEAST, MOST = 12, 40
"""Numbers of architectures: fewer are not planned, for intervals would say nothing; the time left over allows more."""

MOST_EPOCHS, LEAST_EPOCHS = 24, 4
"""Longest and shortest full training of an audit; a shorter one has no quarter."""

FRACTIONS, LAST_FRACTIONS = (1.0, 0.5, 0.25), (0.1, 0.05, 0.02)
"""Shares of the data of a full training: the first that the time allows, the last with the smallest networks only."""

VALIDATION = 0.08
"""About what judging costs after every epoch, in epochs of training."""

BUDGETS = (5, 20, 80)
"""Budgets of a search, in full trainings, for which a fidelity is recommended."""


@final
@dataclass(frozen=True)
class Listed(Strategy):
    """Proposes each architecture at each fidelity, one architecture after the other.

    Args:
        architectures: The sample.
        fidelities: The cheap ones, then the full one as often as there are seeds.
    """

    architectures: tuple[Architecture, ...] = ()
    fidelities: tuple[Fidelity, ...] = ()

    multi_objective: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the next ones; another fidelity is another replicate, so that no two share a seed."""
        width = len(self.fidelities)
        numbers = range(history.n_trials, min(history.n_trials + n, width * len(self.architectures)))
        return [
            Proposal(self.architectures[k // width], fidelity=self.fidelities[k % width], replicate=k % width)
            for k in numbers
        ]


@final
@dataclass(frozen=True)
class Finding:
    """What one fidelity is worth.

    Args:
        fidelity: Which.
        share: Its cost by that of a full training.
        all: Rank correlation of its errors with those of full trainings.
        better: The same among the better half.
    """

    fidelity: Fidelity
    share: float
    all: Interval
    better: Interval


@final
@dataclass(frozen=True)
class Audit:
    """The result.

    Args:
        n_architectures: Those that all fidelities measured.
        full: The full fidelity.
        seconds: What a full training costs.
        findings: One a cheap fidelity, the cheapest first.
        ceiling: Rank correlation of one full training with another of another seed.
        better_ceiling: The same among the better half.
        recommended: The fidelity by the budget in full trainings.
    """

    n_architectures: int
    full: Fidelity
    seconds: float
    findings: tuple[Finding, ...]
    ceiling: Interval
    better_ceiling: Interval
    recommended: Mapping[float, Fidelity]


def sampled(space: Space, n: int, rng: np.random.Generator) -> tuple[Architecture, ...]:
    """Return architectures of different functions, one of each n-th of a larger sample by FLOPs.

    Args:
        space: Of networks, bound.
        n: How many; fewer if the space has no more.
        rng: Draws.
    """
    assert isinstance(space, Networks), "an audit trains networks"
    found: dict[str, Architecture] = {}
    for _ in range(20 * n):
        architecture = space.sample(rng)
        found.setdefault(space.graph(architecture).key, architecture)
        if len(found) == 5 * n:
            break
    ordered = sorted(found.values(), key=lambda a: space.cost(a, "flops"))
    strata = np.array_split(np.arange(len(ordered)), min(n, len(ordered)))
    chosen = [ordered[int(rng.choice(stratum))] for stratum in strata]
    # Whatever part of the sample the time is enough for covers all costs.
    return tuple(chosen[i] for i in rng.permutation(len(chosen)))


def cheap_fidelities(full: Fidelity, space: Space, task: Task) -> tuple[Fidelity, ...]:
    """Return what is compared with a full training: one thing less at a time, then several.

    Args:
        full: The full fidelity.
        space: Says which sizes it can change.
        task: Says whether there are images.
    """
    half, quarter = (replace(full, epochs=max(1, full.epochs // k)) for k in (2, 4))
    less = replace(half, fraction=full.fraction / 2), replace(quarter, fraction=full.fraction / 4)
    fidelities = [half, quarter, *less]
    if len(task.input_shape) == 3 and min(task.input_shape[1:]) >= 16:
        fidelities += [replace(half, resolution=0.5), replace(quarter, resolution=0.5)]
    if _has(space, width=0.5):
        fidelities += [replace(half, width=full.width / 2)]
    if full.cells is None and _is_stacked(space):
        fidelities += [replace(half, cells=1)]
    return tuple(dict.fromkeys(f for f in fidelities if f != full))


def _has(space: Space, width: float = 1.0, cells: int | None = None) -> bool:
    """Return whether the space has such a size to change."""
    from nasturtium.spaces import ClosedNetworkSpace

    try:
        return isinstance(space, ClosedNetworkSpace) and space.reduced(width, cells) is not None
    except UsageError:
        return False


def _is_stacked(space: Space) -> bool:
    """Return whether the space stacks more than one cell, of which one would be fewer."""
    return _has(space, cells=1) and getattr(space, "cells", 1) > 1


def rough_cost(fidelity: Fidelity) -> float:
    """Return about how many epochs of full training a fidelity costs."""
    # Halving the width saves less than the arithmetic says, and cells have a stem around them.
    return float(fidelity.epochs * fidelity.fraction * fidelity.resolution**1.7 * fidelity.width**1.3)


def sizes(space: Space) -> tuple[Fidelity, ...]:
    """Return the sizes of networks that a full training may have: whole, one cell a stage, half as wide too.

    Args:
        space: Says which sizes it can change.
    """
    stack = Fidelity(1, cells=1 if _is_stacked(space) else None)
    return tuple(dict.fromkeys((Fidelity(1), stack, replace(stack, width=0.5 if _has(space, width=0.5) else 1.0))))


def plan_audit(space: Space, task: Task, seconds: float, workers: int) -> Fidelity:
    """Return the full fidelity for a time.

    Where whole networks on a quarter of the data take too long, a full training is one of smaller
    networks: what it says of cheaper ones is then said of these.

    Raises:
        UsageError: The time is not enough for ``LEAST`` architectures.
    """
    from nasturtium.estimators._reduced import reduced

    *larger, smallest = sizes(space)
    for size, fractions in (*((s, FRACTIONS) for s in larger), (smallest, FRACTIONS + LAST_FRACTIONS)):
        per_epoch = time_epoch(reduced(space, task, size)[0], task)
        for fraction, epochs in product(fractions, range(MOST_EPOCHS, LEAST_EPOCHS - 1, -1)):
            full = replace(size, epochs=epochs, fraction=fraction)
            compared = (*cheap_fidelities(full, space, task), *[full] * FULL_SEEDS)
            # Validation costs the same whatever the share of the data.
            cost = sum(rough_cost(f) + VALIDATION * f.epochs for f in compared) / rough_cost(size)
            n = int(seconds * workers / (cost * per_epoch))
            if n >= LEAST and (n >= 20 or epochs <= 8):
                return full
    raise UsageError(
        f"an audit trains {LEAST} networks at every fidelity, got time for fewer (an epoch takes {per_epoch:.2g} s); "
        "give more --minutes or --workers, or a space of smaller networks."
    )


def run_audit(
    task: Task | Problem,
    space: Space | str,
    *,
    minutes: float,
    workers: int = 1,
    seed: int = 0,
    name: str | None = None,
    storage: Storage | str | None = None,
    watch: Callable[[int, int], None] = lambda over, total: None,
) -> Audit:
    """Train the sample and say what each fidelity is worth.

    Args:
        task: The whole task; a problem has no trainings to be made cheaper.
        space: Which networks.
        minutes: The whole job's time.
        workers: Evaluations at a time.
        seed: For everything random.
        name: In the storage.
        storage: Where the audit is kept for ``--estimator auto``; None keeps it in memory.
        watch: Called with the numbers of trainings that are over, and of those of ``MOST`` architectures.

    Raises:
        UsageError: There is nothing to train, or the time is too short.
    """
    from nasturtium.estimators import Training
    from nasturtium.tasks import Task

    if not isinstance(task, Task):
        raise UsageError(f"an audit compares trainings, got the problem {task.name}, which has none; use a task.")
    bound = made(SPACES, space).on(task)
    if not bound.supports(Networks):
        raise UsageError(f"an audit trains networks, got {type(bound).__name__} without any; choose another space.")
    full = plan_audit(bound, task, 54 * minutes, workers)
    cheap = cheap_fidelities(full, bound, task)
    strategy = Listed(sampled(bound, MOST, np.random.default_rng(seed)), (*cheap, *[full] * FULL_SEEDS))
    total = len(strategy.architectures) * len(strategy.fidelities)
    study = Study(
        space=bound,
        estimator=Training(epochs=full.epochs),
        objectives=["valid_error"],
        task=task,
        storage=storage,
        name=name,
        notes={"kind": "audit"},
    )
    study.run(
        strategy,
        minutes=0.95 * minutes,
        seed=seed,
        workers=workers,
        watch=lambda history: watch(history.n_trials - history.n_under_way, total),
    )
    audit = audited(study.history, full)
    recommended = {str(budget): fidelity.to_json() for budget, fidelity in audit.recommended.items()}
    found = {"content": task.content, "full_seconds": audit.seconds, "fidelities": recommended}
    study.journal.add(Note("recommended", found))
    study.journal.flush()
    return audit


def audited(history: History, full: Fidelity) -> Audit:
    """Return what the trials of an audit say.

    Args:
        history: Of a study that ``Listed`` ran.
        full: The full fidelity.

    Raises:
        UsageError: Too few architectures were measured at all fidelities.
    """
    errors: dict[str, dict[int, float]] = {}
    fidelities: dict[int, Fidelity] = {}
    seconds: dict[int, list[float]] = {}
    for trial in history.trials():
        if trial.architecture is None or trial.reached != trial.fidelity or "valid_error" not in trial.metrics:
            continue
        index = trial.proposal.replicate
        errors.setdefault(trial.architecture.key, {})[index] = trial.metrics["valid_error"]
        fidelities[index] = trial.fidelity
        seconds.setdefault(index, []).append(trial.seconds)
    complete = [row for row in errors.values() if len(row) == len(fidelities)]
    fulls = [index for index, fidelity in fidelities.items() if fidelity == full]
    if len(complete) < 6 or len(fulls) < FULL_SEEDS:
        raise UsageError(
            f"an audit needs six networks with all fidelities, got {len(complete)}; give more --minutes or --workers."
        )
    matrix = {index: np.array([row[index] for row in complete]) for index in fidelities}
    truth = np.stack([matrix[index] for index in fulls])
    everyone, good = np.arange(len(complete)), better_half(truth)
    cost = float(np.mean([value for index in fulls for value in seconds[index]]))
    findings = []
    for index in sorted(set(fidelities) - set(fulls)):

        def worth(columns: Any, cheap: Any = matrix[index]) -> float:
            return agreement(cheap[columns], truth[:, columns])

        share = float(np.mean(seconds[index])) / cost
        findings.append(Finding(fidelities[index], share, bootstrap(worth, everyone), bootstrap(worth, good)))
    findings.sort(key=lambda finding: finding.share)
    noise, good_noise = (bootstrap(lambda c: ceiling(truth[:, c]), columns) for columns in (everyone, good))
    return Audit(
        len(complete),
        full,
        cost,
        tuple(findings),
        noise,
        good_noise,
        {budget: recommend(findings, full, noise.value, budget) for budget in BUDGETS},
    )


def recommend(findings: Sequence[Finding], full: Fidelity, noise_ceiling: float, budget: float) -> Fidelity:
    """Return the fidelity by which a search of a budget is expected to find the best candidate.

    Args:
        findings: The cheap fidelities.
        full: The full one.
        noise_ceiling: What the full one is worth as an estimate of itself.
        budget: In full trainings.
    """
    options = [(f.all.value, f.share, f.fidelity) for f in findings] + [(noise_ceiling, 1.0, full)]
    usable = [option for option in options if not np.isnan(option[0])]
    return max(usable, key=lambda option: selection_gain(option[0], option[1], budget))[2]


def recommended_training(storage: Storage, content: str, space: Space, seconds: float | None = None) -> Training:
    """Return the estimator that the newest audit of a task and a space recommends.

    Args:
        storage: Where audits are.
        content: Hash of the task's data.
        space: Bound.
        seconds: Of training that the search has time for; None means about 20 full trainings.

    Raises:
        UsageError: There is none.
    """
    from nasturtium.estimators import Training

    described = SPACES.describe(space)
    for name in reversed(storage.studies()):
        events = storage.read(name)
        created: Mapping[str, Any] = events[0].data if events else {}  # type: ignore[union-attr]
        if created.get("kind") != "audit" or created.get("space") != described:
            continue
        notes = [e.data for e in events if isinstance(e, Note) and e.kind == "recommended"]
        if notes and notes[-1]["content"] == content:
            found = notes[-1]
            budget = BUDGETS[1] if seconds is None else seconds / found["full_seconds"]
            nearest = min(found["fidelities"], key=lambda considered: abs(np.log(float(considered) / budget)))
            plan = Fidelity.from_json(found["fidelities"][nearest])
            return Training(plan.epochs, 1, 3, plan.fraction, plan.resolution, plan.width, plan.cells)
    raise UsageError(
        "--estimator auto takes what an audit of this task and space recommends, got none in this storage; "
        "run nasturtium audit TASK --space S --minutes M first."
    )
