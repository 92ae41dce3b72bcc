"""Control with evolved networks: evaluations until gymnasium's threshold, and the test of the solution.

    python benchmarks/control.py [TASK...] [--seeds N] [--trials N]

Networks of the space ``neurons``, the strategies with their papers' settings, seeds numbered from 0. A
run ends when a network solves its task over five episodes; the return is the mean of a hundred others.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.tasks import Problem, load_task


def solved(task: Problem, strategy: str, trials: int, seed: int) -> tuple[int | None, float]:
    """Return how many evaluations solved the task, if they did, and the return of the best network in the test."""
    study = nas.Study(space=task.space, task=task, estimator="simulation", objectives=["valid_error"], storage=None)
    for spent in range(50, trials + 50, 50):  # in steps, since random search does not stop at a solution
        study.run(strategy, trials=min(spent, trials), seed=seed)
        errors = study.history.losses()[:, 0]
        if errors.min() == 0 or len(errors) < spent:
            break
    best = study.front()[0].architecture
    n = int(errors.argmin()) + 1 if errors.min() == 0 else None
    return n, task.test(study.space, best)["test_return"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=["cartpole"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=600)
    arguments = parser.parse_args()
    table = Table("task", "strategy", "solved", "evaluations", "return in the test", "CPU s a run")
    table.caption = f"at most {arguments.trials:,} evaluations, {arguments.seeds} seeds"
    for name in arguments.tasks:
        for strategy in ("neat()", "gnarl()", "random-search"):
            begun = time.process_time()
            runs = [solved(load_task(name), strategy, arguments.trials, seed) for seed in range(arguments.seeds)]
            seconds = (time.process_time() - begun) / arguments.seeds
            ns = [n for n, _ in runs if n is not None]
            range_of = f"{min(ns):,} to {max(ns):,}, mean {np.mean(ns):,.0f}" if ns else ""
            returns = [value for _, value in runs]
            spread = f"{min(returns):,.1f} to {max(returns):,.1f}"
            table.add_row(name, strategy, f"{len(ns)} of {len(runs)}", range_of, spread, f"{seconds:.1f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
