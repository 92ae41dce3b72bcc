"""Evolution held to its papers: who has children and who dies, on a table and on toys.

    python benchmarks/evolution.py [--seeds N] [--processes N]

Five tables, each mean and standard deviation over seeds, numbered from 0:

- NAS-Bench-201 (Dong & Yang 2020), CIFAR-10: test accuracy after 200 epochs of the best by
  validation after 12 epochs. The aging toy of Real et al. 2019, supplement C: true accuracy of the
  best by noisy measurement after 1,000 models. Both over ``--seeds`` seeds.
- Genetic CNN's 19 bits with a hidden target, 1,020 evaluations, 100 seeds.
- Neutral drift in Cartesian genetic programs on a landscape of plateaus, 30 seeds.
- HyperNEAT on visual discrimination with fields of 9 x 9, 15,000 evaluations, 5 seeds.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.benchmarking import Grid, Protocol, Results, run_grid
from nasturtium.spaces import choice, decisions
from nasturtium.tasks import Problem, load_task
from nasturtium.testing import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nasturtium.spaces import Architecture, Space

CONSOLE = Console(width=120)


# --- NAS-Bench-201 -------------------------------------------------------------------------------


def variant(sample_size: int, population_size: int, removal: str) -> str:
    """Return the call of a composition with repeats, as the reference figures have them."""
    return (
        f"evolution(parents=tournament(sample_size={sample_size}), "
        f"removal={removal}(population_size={population_size}), variation=mutation(), repeats='allow')"
    )


ON_TABLE: dict[str, str] = {
    "random search": "random-search(repeats='allow')",
    "regularized P 10 S 10": "regularized-evolution(population_size=10, sample_size=10, repeats='allow')",
    "regularized P 10 S 10, avoid": "regularized-evolution(population_size=10, sample_size=10)",
    **{
        f"{sample} of {size}, {removal}": variant(sample, size, removal)
        for sample, size in ((10, 50), (5, 20))
        for removal in ("oldest", "worst-of-sample", "keep-all")
    },
    "hierarchical, start 20": "hierarchical-evolution(population_size=20, repeats='allow')",
    "pair, P 20": "large-scale-evolution(population_size=20, repeats='allow')",
    "nsga2 N 10, avoid": "nsga2(population_size=10)",
    "cgp, avoid": "cgp()",
    "genetic-cnn": "genetic-cnn()",
}
REFERENCE: dict[str, tuple[float, float, float, float]] = {
    "random search": (93.74, 0.35, 93.95, 0.23),
    "regularized P 10 S 10": (94.04, 0.39, np.nan, np.nan),
    "10 of 50, oldest": (94.01, 0.31, 94.30, 0.16),
    "10 of 50, worst-of-sample": (94.04, 0.31, 94.33, 0.16),
    "10 of 50, keep-all": (94.00, 0.31, 94.29, 0.16),
    "5 of 20, oldest": (94.04, 0.365, 94.25, 0.235),
    "5 of 20, worst-of-sample": (94.07, 0.365, 94.25, 0.235),
    "5 of 20, keep-all": (93.97, 0.365, 94.19, 0.235),
    "hierarchical, start 20": (93.83, 0.42, 94.24, 0.21),
    "pair, P 20": (93.98, 0.33, 94.27, 0.20),
}
"""Mean and standard deviation after 100 and 300 evaluations of an independent program, 500 seeds."""


def on_table(seeds: int, processes: int) -> None:
    """Print test accuracy on NAS-Bench-201 after 100 and 300 evaluations."""
    grid = Grid(nas.benchmarks.load("nasbench201-cifar10-e12"), tuple(ON_TABLE.values()), seeds, Protocol(trials=300))
    results = Results(grid, run_grid(grid, processes=processes))
    table = Table("NAS-Bench-201, test %", "100", "reference", "apart", "300", "reference", "apart", "CPU ms")
    table.caption = f"{seeds} seeds; apart: standard errors of the difference to the reference"
    for name, call in ON_TABLE.items():
        cells = [name]
        for i, n in enumerate((100, 300)):
            accuracy = 100 * (1 - results.at(n)[call])
            mean, sd = REFERENCE.get(name, (np.nan,) * 4)[2 * i : 2 * i + 2]
            apart = abs(accuracy.mean() - mean) / np.sqrt(accuracy.var(ddof=1) / seeds + sd**2 / 500)
            known = [f"{mean:.2f}", f"{apart:.1f}"] if mean == mean else ["-", "-"]
            cells += [f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}", *known]
        milliseconds = np.mean([run.cpu_milliseconds for run in results.of(call)])
        table.add_row(*cells, f"{milliseconds:.2f}")
    CONSOLE.print(table)


# --- toys ----------------------------------------------------------------------------------------


def study(space: Space, metrics: Callable[[Architecture], dict[str, float]], call: str, n: int, seed: int) -> nas.Study:
    """Return a finished study of a toy, in memory."""
    toy = nas.Study(space=space, estimator=nas.estimators.Function(metrics), objectives=["loss"], storage=None)
    return toy.run(call, trials=n, seed=seed)


WHO_DIES: dict[str, str] = {
    "aging": "regularized-evolution(population_size=100, sample_size=10, identity_rate=0.0, repeats='allow')",
    "worst of sample": "non-aging-evolution(population_size=100, sample_size=10, repeats='allow')",
    "none": variant(10, 100, "keep-all"),
    "random search": "random-search(repeats='allow')",
}


def aging(call: str, noise: float, seed: int) -> float:
    """Return the true accuracy of the best of 1,000 noisy models of 100 bits."""
    rng = np.random.default_rng(seed)

    def metrics(architecture: Architecture) -> dict[str, float]:
        accuracy = sum(architecture.values()) / 100 + noise * rng.standard_normal()
        return {"loss": 1 - float(np.clip(accuracy, 0, 1))}

    bits = decisions(**{f"b{i}": choice(0, 1) for i in range(100)})
    best = study(bits, metrics, call, 1_000, seed).front()[0].architecture
    assert best is not None
    return sum(best.values()) / 100


def hidden_target(call: str, seed: int) -> tuple[float, float, float, float]:
    """Return mean and best of the first generation, then of the last."""
    rng = np.random.default_rng(seed)
    target = rng.integers(2, size=19)

    def metrics(architecture: Architecture) -> dict[str, float]:
        matches = int(np.sum(np.array(list(architecture.values())) == target))
        return {"loss": -(0.70 + 0.07 * matches / 19 + 0.005 * float(rng.standard_normal()))}

    bits = decisions(**{f"s{s}.b{i}": choice(0, 1) for s, n in enumerate((3, 6, 10)) for i in range(n)})
    accuracy = -study(bits, metrics, call, 1_020, seed).history.losses()[:, 0]
    first, last = accuracy[:20], accuracy[-20:]
    return float(first.mean()), float(first.max()), float(last.mean()), float(last.max())


def plateaus(call: str, seed: int) -> float:
    """Return how far 300 evaluations climb a staircase: half of (convolutions - pools), rounded down."""
    space = nas.spaces.load("cgp", rows=3, depth=10, levels_back=5, filters=(4, 8), kernels=(3,), min_active=2)
    bound = space.on(Shapes((1, 32, 32), 10))

    def metrics(architecture: Architecture) -> dict[str, float]:
        names = [str(architecture[f"{node}.function"]) for node in bound.active(architecture)]
        return {"loss": -float((sum("conv" in name for name in names) - sum("pool" in name for name in names)) // 2)}

    return -float(study(bound, metrics, call, 300, seed).history.losses().min())


def discriminated(seed: int) -> tuple[int, float, float]:
    """Return after how many evaluations a pattern scores 95 % (0 if none does), the best score, CPU seconds."""
    task, begun = load_task("visual-discrimination(size=9)"), time.process_time()
    assert isinstance(task, Problem)
    patterns = nas.Study(space=task.space, estimator="simulation", task=task, storage=None)
    errors = patterns.run("hyperneat(population_size=150)", trials=15_000, seed=seed).history.losses()[:, 0]
    solved = np.flatnonzero(errors <= 0.05)
    n = int(solved[0]) + 1 if len(solved) else 0
    return n, 1 - float(errors.min()), time.process_time() - begun


def spread(values: Iterable[float]) -> str:
    """Return mean and standard deviation over seeds."""
    found = np.array(list(values))
    return f"{found.mean():.3f} ± {found.std(ddof=1):.3f}"


def on_toys(pool: ProcessPoolExecutor, seeds: int) -> None:
    """Print the aging toy, Genetic CNN's landscape and neutral drift."""
    table = Table("aging toy, accuracy", "noise 0.01", "noise 0.05", caption=f"1,000 models, {seeds} seeds")
    for name, call in WHO_DIES.items():
        table.add_row(
            name, *(spread(pool.map(partial(aging, call, noise), range(seeds), chunksize=8)) for noise in (0.01, 0.05))
        )
    CONSOLE.print(table)

    rise = np.array(list(pool.map(partial(hidden_target, "genetic-cnn"), range(100))))
    table = Table("genetic-cnn, accuracy", "mean", "best", caption="1,020 evaluations, 100 seeds")
    for name, at in (("first generation", 0), ("last generation", 2)):
        table.add_row(name, spread(rise[:, at]), spread(rise[:, at + 1]))
    CONSOLE.print(table)
    CONSOLE.print(f"the mean rose in {np.sum(rise[:, 2] > rise[:, 0])} of 100 seeds")

    table = Table("cgp on plateaus", "height", caption="300 evaluations, 30 seeds")
    for name, call in (("with drift", "cgp(repeats='allow')"), ("without", "cgp(repeats='allow', has_drift=False)")):
        table.add_row(name, spread(pool.map(partial(plateaus, call), range(30))))
    CONSOLE.print(table)

    table = Table("hyperneat, seed", "solved after", "best score", "CPU s", caption="15,000 evaluations")
    for seed, (n, best, seconds) in enumerate(pool.map(discriminated, range(5))):
        table.add_row(str(seed), f"{n:,}" if n else "-", f"{100 * best:.1f} %", f"{seconds:.1f}")
    CONSOLE.print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    begun = time.monotonic()
    on_table(arguments.seeds, arguments.processes)
    with ProcessPoolExecutor(arguments.processes) as pool:
        on_toys(pool, arguments.seeds)
    CONSOLE.print(f"{time.monotonic() - begun:.0f} seconds on {arguments.processes} processes")


if __name__ == "__main__":
    main()
