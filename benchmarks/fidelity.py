"""Does a search by cheap estimates find as good a network as one by full trainings, in a third of the time?

Both searches are regularized evolution on the same space. The one by full trainings gets a number
of trials; the one by the cheap estimate stops at a third of the CPU seconds that the other took. The
best by validation error is trained by the final recipe, and the test data is read once a network.

    nasturtium audit fashion-mnist --space "nasbench201(cells=1, filters=8)" --minutes 20
    python benchmarks/fidelity.py [--cheap "training(epochs=2, fraction=0.1, resolution=0.5)"] [--trials 20] [--seeds 3]

The defaults take about 35 CPU minutes: an epoch of one of these networks on all of Fashion-MNIST takes
20 seconds, so a full training is some epochs on a part of it.
"""

from __future__ import annotations

import argparse
import time
from statistics import mean, stdev
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium._audit import recommended_training
from nasturtium.estimators import ESTIMATORS, Assignment, Context, Training
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._judging import judge
from nasturtium.networks import build
from nasturtium.spaces import SPACES
from nasturtium.storage import open_storage
from nasturtium.tasks import Task, load_task
from nasturtium.testing._running import Shelf

if TYPE_CHECKING:
    from nasturtium.estimators import Estimator
    from nasturtium.spaces import Architecture, NetworkSpace


def searched(
    space: NetworkSpace, task: Task, estimator: Estimator, seed: int, *, trials: int, cpu_seconds: float
) -> tuple[Architecture, int, float]:
    """Return the best architecture, the trials and the CPU seconds of a search within both bounds."""
    study = nas.Study(space=space, estimator=estimator, task=task)
    strategy = nas.strategies.RegularizedEvolution(population_size=10, sample_size=5)
    begun = time.process_time()
    for n in range(1, trials + 1):
        study.run(strategy, trials=n, seed=seed, horizon=trials)
        if time.process_time() - begun >= cpu_seconds:
            break
    best = min(study.history.finished(), key=lambda trial: trial.metrics["valid_error"])
    assert best.architecture is not None
    return best.architecture, study.history.n_trials, time.process_time() - begun


def tested(space: NetworkSpace, task: Task, architecture: Architecture, epochs: int, seed: int) -> float:
    """Return the test error after the final training."""
    training, shelf = Training().final(epochs), Shelf()
    assignment = Assignment(0, architecture, training.ladder()[-1].fidelity)
    for _ in training.evaluate(assignment, Context(space, task.for_final(), seed, shelf({}))):
        pass
    network = build(space.graph(architecture).simplified())
    network.load_state_dict(dict(Checkpoint.from_bytes(list(shelf.data.values())[-1]).network))
    return judge(network, task, task.test(), "test")["test_error"]


def main() -> None:
    """Print both searches over the seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="fashion-mnist")
    parser.add_argument("--space", default="nasbench201(cells=1, filters=8)")
    parser.add_argument("--full", default="training(epochs=4, fraction=0.25)", help="the estimator of a full training")
    parser.add_argument("--cheap", help="an estimator; by default what the audit in --storage recommends")
    parser.add_argument("--storage", default="sqlite:///nasturtium.db")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--final", type=int, default=3, help="epochs of the final training")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    task = load_task(given.task)
    space = SPACES.create(given.space).on(task)
    if given.cheap is None:
        cheap: Estimator = recommended_training(open_storage(given.storage, create=False), task.content, space)
    else:
        cheap = ESTIMATORS.create(given.cheap)
    full = ESTIMATORS.create(given.full)
    rows: dict[str, list[tuple[int, float, float]]] = {"full": [], "cheap": []}
    for seed in range(given.seeds):
        allowed = float("inf")
        for name, estimator, trials in (("full", full, given.trials), ("cheap", cheap, 10_000)):
            best, n, seconds = searched(space, task, estimator, seed, trials=trials, cpu_seconds=allowed)
            allowed = seconds / 3
            rows[name].append((n, seconds, tested(space, task, best, given.final, seed)))
    table = Table("search by", "candidates", "CPU s", "test error", "sd")
    for name, found in rows.items():
        errors = [error for _, _, error in found]
        spread = stdev(errors) if len(errors) > 1 else 0.0
        candidates, seconds = (mean(row[i] for row in found) for i in (0, 1))
        table.add_row(name, f"{candidates:.0f}", f"{seconds:.0f}", f"{mean(errors):.2%}", f"{spread:.2%}")
    console = Console(highlight=False)
    console.print(f"full: {full}\ncheap: {cheap}")
    console.print(table)


if __name__ == "__main__":
    main()
