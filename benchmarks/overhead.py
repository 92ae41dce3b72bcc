"""What a trial costs beside its evaluation: nasturtium and Optuna in one run.

The space has six choices of five options and the function answers at once, so all the time is the
framework's. CPU time of this process is measured, in memory the least of three seeds, since a busy
machine can only add to it; Optuna's random sampler stands beside. By default
regularized evolution mutates on until a child is new: at 10,000 trials, when most of the toy's
15,625 are known, 3.6 mutations a trial, which the row with ``repeats="allow"`` leaves out.

    python benchmarks/overhead.py [--quick]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.spaces import choice, decisions

if TYPE_CHECKING:
    from collections.abc import Callable

OTHERS = (
    "non-aging-evolution",
    "large-scale-evolution",
    "hierarchical-evolution",
    "cgp",
    "genetic-cnn",
    "nsga2",
)
OPTIONS = ("none", "skip", "conv1", "conv3", "pool")
NAMES = [f"edge_{i}" for i in range(6)]


def cpu_ms(job: Callable[[], object], n: int) -> float:
    """Return the CPU milliseconds that a job takes for each of n trials."""
    begun = time.process_time()
    job()
    return 1e3 * (time.process_time() - begun) / n


def error(values: dict[str, str]) -> float:
    """Return the share of edges that are not ``conv3``."""
    return sum(values[name] != "conv3" for name in NAMES) / len(NAMES)


def study(storage: str | None, name: str) -> nas.Study:
    """Return a fresh study of the toy."""
    return nas.Study(
        space=decisions(**{name: choice(*OPTIONS) for name in NAMES}),
        estimator=nas.estimators.Function(lambda architecture: {"valid_error": error(dict(architecture))}),
        storage=storage,
        name=name,
    )


def run_ours(strategy: str, storage: str | None, n: int, seed: int = 0) -> None:
    """Run a strategy of ours on the toy."""
    study(storage, "s").run(strategy, trials=n, seed=seed)


def in_memory(strategy: str, n: int) -> str:
    """Return the least CPU milliseconds a trial of three runs without a storage."""
    return f"{min(cpu_ms(partial(run_ours, strategy, None, n, seed), n) for seed in range(3)):.3f}"


def run_optuna(storage: str | None, n: int) -> None:
    """Run Optuna's random sampler on the same toy."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    toy = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    toy.optimize(lambda t: error({name: t.suggest_categorical(name, OPTIONS) for name in NAMES}), n_trials=n)


def main() -> None:
    """Print the table."""
    sizes = (100, 1_000) if "--quick" in sys.argv else (100, 1_000, 10_000)
    table = Table("CPU ms a trial", *(f"{n:,} trials" for n in sizes), "wanted")
    with tempfile.TemporaryDirectory() as folder:
        run_ours("random-search", f"sqlite:///{folder}/warm.db", 10)  # imports are counted apart
        run_optuna(f"sqlite:///{folder}/warm-optuna.db", 10)
        for strategy in ("random-search", "regularized-evolution"):
            table.add_row(f"{strategy}, memory", *(in_memory(strategy, n) for n in sizes), "<= 0.12")
            stored = [cpu_ms(partial(run_ours, strategy, f"sqlite:///{folder}/{strategy}-{n}.db", n), n) for n in sizes]
            table.add_row(f"{strategy}, SQLite", *(f"{ms:.3f}" for ms in stored), "<= 0.8")
        allowed = [in_memory("regularized-evolution(repeats='allow')", n) for n in sizes]
        table.add_row("the same with repeats, memory", *allowed, "<= 0.12")
        # Optuna's SQLite run of 10,000 trials would take minutes and is left out.
        memory = [cpu_ms(partial(run_optuna, None, n), n) for n in sizes]
        table.add_row("Optuna random, memory", *(f"{ms:.3f}" for ms in memory), "")
        limited = [n for n in sizes if n <= 1_000]
        stored = [cpu_ms(partial(run_optuna, f"sqlite:///{folder}/optuna-{n}.db", n), n) for n in limited]
        table.add_row(
            "Optuna random, SQLite", *(f"{ms:.3f}" for ms in stored), *["-"] * (len(sizes) - len(limited)), ""
        )
        url = f"sqlite:///{Path(folder) / f'random-search-{sizes[-1]}.db'}"
        begun = time.process_time()
        reopened = study(url, "s")
        reopened.history.losses()
        seconds = time.process_time() - begun
    console = Console()
    console.print(table)
    others = Table("CPU ms a trial, memory", "1,200 trials")
    for strategy in OTHERS:
        others.add_row(strategy, in_memory(strategy, 1_200))
    console.print(others)
    console.print(f"reopening {sizes[-1]:,} trials: {seconds:.2f} CPU s (wanted <= 0.5 for 10,000)")
    program = (
        "import sys, time; a = time.process_time(); import numpy; b = time.process_time(); import nasturtium; "
        "c = time.process_time(); print(f'{c - a:.2f} CPU s (wanted <= 0.3), {b - a:.2f} of it numpy; "
        "torch loaded:', 'torch' in sys.modules)"
    )
    answers = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    console.print("import nasturtium:", min(answer.stdout.strip() for answer in answers))


if __name__ == "__main__":
    main()
