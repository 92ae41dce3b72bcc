"""Evolution of networks that are trained: does a generation beat the first one?

    python benchmarks/trained_evolution.py [--seeds N] [METHOD ...]

Generational methods on few epochs of part of the data, one process, seeds from 0. Each line: mean
validation error of the first and of the last generation, and in how many seeds it fell; a network
that failed counts as wrong everywhere.

- ``codeepneat-digits``, ``codeepneat-fashion``: Miikkulainen et al. 2017, 6 blueprints, 10 modules
  and 12 networks a generation; 4 epochs, 6 generations on digits, 5 on 600 images of Fashion-MNIST.
- ``genetic-cnn-digits``: Xie & Yuille 2017, nodes (3, 5), 5 generations of 12; 3 epochs of half
  the digits.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.estimators import Training
from nasturtium.tasks import load_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.tasks import Task

CONSOLE = Console(width=120)


class Case(NamedTuple):
    """A method on a task.

    Args:
        task: The task's name.
        space: The space's call.
        strategy: The strategy's call.
        training: How a candidate is trained.
        size: Networks a generation.
        generations: How many of them.
    """

    task: str
    space: str
    strategy: str
    training: Training
    size: int
    generations: int


DEEP = "codeepneat(n_blueprints=6, n_modules=10, n_assemblies=12)"
GENETIC = "genetic-cnn(nodes=(3, 5), filters=(4, 4), pool=2, hidden=32)"
CASES: dict[str, Case] = {
    "codeepneat-digits": Case("digits", "codeepneat(filters=(4, 16))", DEEP, Training(epochs=4), 12, 6),
    "codeepneat-fashion": Case(
        "fashion-mnist", "codeepneat(filters=(4, 16))", DEEP, Training(epochs=4, fraction=0.0125), 12, 5
    ),
    "genetic-cnn-digits": Case(
        "digits",
        GENETIC,
        "genetic-cnn(population_size=12, flip_rate=0.1, swap_rate=0.3)",
        Training(epochs=3, fraction=0.5),
        12,
        5,
    ),
}


def reduced(task: Task) -> Task:
    """Return the task with about 500 images to validate on, equally spaced."""
    n = len(task.valid)
    return replace(task, valid=task.valid.select(torch.arange(0, n, max(n // 500, 1))))


def errors(case: Case, task: Task, seed: int) -> NDArray[np.float64]:
    """Return the validation errors of a study, shape ``(generations, size)``."""
    study = nas.Study(space=case.space, estimator=case.training, task=task, storage=None)
    study.run(case.strategy, trials=case.size * case.generations, seed=seed)
    losses = study.history.losses()[:, 0]
    return np.where(np.isnan(losses), 1.0, losses).reshape(case.generations, case.size)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="METHOD", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table("validation error, %", "first generation", "last", "best of all", "fell", "CPU s a network")
    table.caption = f"mean ± standard deviation over {arguments.seeds} seeds"
    for name in arguments.cases or CASES:
        case = CASES[name]
        task = reduced(load_task(case.task))
        begun = time.process_time()
        found = np.zeros((arguments.seeds, case.generations, case.size))
        for seed in range(arguments.seeds):
            found[seed] = 100 * errors(case, task, seed)
            means = ", ".join(f"{mean:.1f}" for mean in found[seed].mean(axis=1))
            CONSOLE.print(f"{name}, seed {seed}, mean of each generation: {means}")
        seconds = (time.process_time() - begun) / found.size
        first, last, best = found[:, 0].mean(axis=1), found[:, -1].mean(axis=1), found.min(axis=(1, 2))
        cells = [f"{values.mean():.2f} ± {values.std(ddof=1):.2f}" for values in (first, last, best)]
        table.add_row(name, *cells, f"{np.sum(last < first)} of {arguments.seeds}", f"{seconds:.2f}")
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
