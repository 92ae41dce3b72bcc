"""One run of a strategy on a benchmark: what it had found after each evaluation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium._study import Study
from nasturtium.engine import SimulatedExecutor
from nasturtium.spaces import forget_identities
from nasturtium.trials import hypervolume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nasturtium.benchmarking._base import Benchmark
    from nasturtium.trials import History


@final
@dataclass(frozen=True, slots=True)
class Protocol:
    """How every run of a comparison goes, whatever its strategy and seed.

    Args:
        trials: Evaluations of a run.
        workers: Virtual workers, which evaluate at the same time.
        charges_search: Whether a strategy's own CPU time passes on the simulated clock.
        scheduler: How far each trial goes, as a call.
    """

    trials: int
    workers: int = 1
    charges_search: bool = False
    scheduler: str = "fixed"


@final
@dataclass(frozen=True, slots=True)
class Run:
    """What one strategy with one seed had found, evaluation after evaluation.

    Args:
        strategy: The strategy as a call.
        seed: The study's seed.
        search: Value of the incumbent's objective, shape ``(n_evaluations,)``; with several
            objectives the hypervolume of the front, as a share of the reference box. NaN before
            there is one.
        report: The incumbent's report column, which it was not chosen by; NaN if there is none.
        seconds: The simulated clock when the evaluation was over.
        n_distinct: Different architectures among the trials.
        cpu_milliseconds: CPU time a trial of strategy and engine, the keys of graphs that they ask
            for included, what is looked up in the table not.
    """

    strategy: str
    seed: int
    search: tuple[float, ...]
    report: tuple[float, ...]
    seconds: tuple[float, ...]
    n_distinct: int
    cpu_milliseconds: float

    def to_json(self) -> str:
        """Return one line of JSON; numbers are exact."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Return what ``to_json`` wrote."""
        data: dict[str, Any] = json.loads(text)
        for name in ("search", "report", "seconds"):
            data[name] = tuple(data[name])
        return cls(**data)


def run_once(benchmark: Benchmark, strategy: str, seed: int, protocol: Protocol) -> Run:
    """Run one strategy with one seed on a simulated clock.

    Evaluations count when their trial is over. The incumbent is the best by the objective among
    them; of equal ones the earliest.

    Example:
        >>> from nasturtium import benchmarks
        >>> found = run_once(benchmarks.load("nasbench-graph-cora"), "random-search", 0, Protocol(trials=3))
        >>> len(found.search), found.search[0] >= found.search[2]
        (3, True)
    """
    forget_identities()  # whose run is the first must not pay for those after it
    study = Study(
        space=benchmark.space,
        estimator=benchmark.estimator,
        objectives=list(benchmark.objectives),
        scheduler=protocol.scheduler,
    )
    executor = SimulatedExecutor(protocol.workers, charges_search=protocol.charges_search)
    history = study.run(strategy, trials=protocol.trials, seed=seed, executor=executor).history
    order = list(history.completed)
    losses = history.losses()[order]
    if len(benchmark.objectives) > 1:
        search, report = _hypervolumes(losses, reference_box(benchmark)), [nan] * len(order)
    else:
        incumbents = _incumbents(losses[:, 0])
        search = [nan if at is None else float(losses[at, 0]) for at in incumbents]
        report = _reports(benchmark, history, order, incumbents)
    return Run(
        strategy,
        seed,
        tuple(search),
        tuple(report),
        tuple(history.trial(number).ended_at or 0.0 for number in order),
        len({history.architecture(number) for number in order}),
        1_000 * executor.search_seconds / max(len(order), 1),
    )


def _incumbents(losses: NDArray[np.float64]) -> list[int | None]:
    """Return the position of the best loss so far, after each evaluation."""
    best: int | None = None
    found = []
    for at, loss in enumerate(losses):
        if not isnan(loss) and (best is None or loss < losses[best]):
            best = at
        found.append(best)
    return found


def _reports(
    benchmark: Benchmark, history: History, order: Sequence[int], incumbents: Sequence[int | None]
) -> list[float]:
    if not benchmark.reports:
        return [nan] * len(order)
    column = benchmark.reports[0]

    def of(position: int) -> float:
        architecture = history.architecture(order[position])
        assert architecture is not None
        return benchmark.estimator.report(architecture)[column]

    known = {at: of(at) for at in set(incumbents) if at is not None}
    return [nan if at is None else known[at] for at in incumbents]


def _objectives(benchmark: Benchmark) -> NDArray[np.float64]:
    """Return the objectives of every row of the table, shape ``(n_rows, n_objectives)``."""
    return np.stack([benchmark.estimator.table.column(name) for name in benchmark.objectives], axis=1)


def reference_box(benchmark: Benchmark) -> NDArray[np.float64]:
    """Return the least and the greatest value of each objective in the table, shape ``(2, n_objectives)``."""
    columns = _objectives(benchmark)
    return np.stack([np.nanmin(columns, axis=0), np.nanmax(columns, axis=0)])


def greatest_hypervolume(benchmark: Benchmark) -> float:
    """Return the hypervolume of the whole table's front, as a share of the reference box."""
    return _hypervolumes(_objectives(benchmark), reference_box(benchmark))[-1]


def _hypervolumes(losses: NDArray[np.float64], box: NDArray[np.float64]) -> list[float]:
    """Return the hypervolume of the first k losses for each k, as a share of the reference box.

    Args:
        losses: Shape ``(n_evaluations, n_objectives)``.
        box: See ``reference_box``; the greatest values are the reference point.
    """
    scaled = (losses - box[0]) / (box[1] - box[0])
    corner = np.ones(box.shape[1])
    volumes: list[float] = []
    front = np.empty((0, box.shape[1]))
    for point in scaled:
        is_new = not np.isnan(point).any() and not (front <= point).all(axis=1).any()
        if is_new:
            front = np.vstack([front[~(point <= front).all(axis=1)], point])
        volumes.append(hypervolume(front, corner) if is_new else (volumes[-1] if volumes else 0.0))
    return volumes
