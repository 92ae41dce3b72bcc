"""What people use today beside what this package has, on NAS-Bench-201.

    python benchmarks/peers.py [--seeds N] [--peer-seeds N] [--peer CALL]... [--out DIR]

CIFAR-10: test error after 200 epochs of the best by validation after 12 epochs, after 50, 100 and
200 evaluations; mean and standard deviation over seeds from 0. The difference is that of the means
from regularized evolution's, with the 95 % interval of a bootstrap over seeds (10,000 resamples of
each side). With ``--out`` it goes on where it was interrupted. Needs the extra ``peers``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from nasturtium import benchmarks
from nasturtium.benchmarking import Grid, Protocol, Results, run_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONSOLE = Console(width=150)
EVOLUTION = "regularized-evolution(population_size=10, sample_size=10)"
OURS = ("random-search", EVOLUTION)
PEERS = ("optuna(sampler='tpe')", "optuna(sampler='nsgaii')", "nevergrad", "smac3")
BUDGETS = (50, 100, 200)
N_RESAMPLES = 10_000


def values(strategies: tuple[str, ...], seeds: int, folder: Path | None) -> dict[str, NDArray[np.float64]]:
    """Return the test errors by strategy, shape ``(seeds, 200)``."""
    grid = Grid(benchmarks.load("nasbench201-cifar10-e12"), strategies, seeds, Protocol(BUDGETS[-1]))
    results = Results(grid, run_grid(grid, folder))
    return {strategy: results.values(strategy) for strategy in strategies}


def interval(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of a less that of b."""
    rng = np.random.default_rng(0)
    means = [rng.choice(x, (N_RESAMPLES, len(x))).mean(axis=1) for x in (a, b)]
    low, high = np.quantile(means[0] - means[1], (0.025, 0.975)).tolist()
    return low, high


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--peer-seeds", type=int, default=20)
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = values(OURS, options.seeds, options.out)
    for peer in options.peer or PEERS:
        found |= {peer: values((OURS[0], peer), options.peer_seeds, options.out)[peer]}
    table = Table(title="NAS-Bench-201, CIFAR-10: test error in per cent, and less regularized evolution's")
    for head in ("strategy", "seeds", *map(str, BUDGETS)):
        table.add_column(head, justify="left" if head == "strategy" else "right", overflow="fold")
    for strategy, errors in found.items():
        cells = []
        for n in BUDGETS:
            ours, theirs = 100 * found[EVOLUTION][:, n - 1], 100 * errors[:, n - 1]
            low, high = interval(theirs, ours)
            gap = "" if strategy == EVOLUTION else f"\n{theirs.mean() - ours.mean():+.2f} [{low:+.2f}, {high:+.2f}]"
            cells.append(f"{theirs.mean():.2f} ± {theirs.std(ddof=1):.2f}{gap}")
        table.add_row(strategy, str(len(errors)), *cells)
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
