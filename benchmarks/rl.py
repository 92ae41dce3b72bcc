"""Reinforcement learning held to its papers, on NAS-Bench-201 (Dong & Yang 2020), CIFAR-10.

    python benchmarks/rl.py [--seeds N] [--processes N] [--part NAME] [--trials N]

The signal is validation accuracy after 12 epochs. NAME is reinforce, ppo, q-learning, settings or cost. Four
tables over seeds, numbered from 0:

- REINFORCE with NAS-Bench-201's table of logits and several learning rates, 100 evaluations, and PPO
  with a table of logits or the paper's constants, 200: test accuracy after 200 epochs of the best.
  Beside them an independent program's figures of 500 seeds.
- Q-learning with a tenth of MetaQNN's schedule: mean accuracy of what it sampled under each epsilon.
- What the command line makes of the methods for 50, 100 and 200 evaluations, beside random search and
  evolution; and the mean accuracy of what they sampled in the first and in the last third of 100.

The fifth is what a proposal costs after N trials (1,000) of 50 decisions, and to begin anew from them.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.benchmarking import Grid, Protocol, Results, run_grid
from nasturtium.storage import MemoryStorage
from nasturtium.strategies import PPO, STRATEGIES, QLearning, RandomSearch, RegularizedEvolution, Reinforce

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nasturtium.strategies import Strategy

CONSOLE = Console(width=120)
BENCHMARK = "nasbench201-cifar10-e12"
RANDOM = "random-search(repeats='allow')"


def reinforce(learning_rate: float) -> str:
    """Return the call of NAS-Bench-201's variant."""
    return (
        f"reinforce(policy=logits(), batch_size=1, learning_rate={learning_rate}, baseline_decay=0.9, "
        "reward='accuracy', repeats='allow')"
    )


def ppo(learning_rate: float) -> str:
    """Return the call of PPO with a table of logits, 10 steps on each batch of 20."""
    return f"ppo(policy=logits(), learning_rate={learning_rate}, repeats='allow')"


HUNDRED: dict[str, tuple[str, float, float]] = {
    "random search": (RANDOM, 93.74, 0.35),
    "reinforce, 0.01": (reinforce(0.01), 93.77, 0.33),
    "reinforce, 0.05": (reinforce(0.05), 93.90, 0.35),
    "reinforce, 0.1": (reinforce(0.1), 93.94, 0.34),
    "reinforce, 0.5": (reinforce(0.5), 93.15, 0.82),
}
"""Call, and mean and standard deviation after 100 evaluations of an independent program, 500 seeds."""

TWO_HUNDRED: dict[str, tuple[str, float, float]] = {
    "random search": (RANDOM, 93.88, 0.25),
    "ppo, logits, 0.05": (ppo(0.05), 94.16, np.nan),
    "ppo, logits, 0.1": (ppo(0.1), 94.16, np.nan),
    "ppo, the paper's constants": ("ppo(repeats='allow')", 93.87, np.nan),
}
"""The same after 200 evaluations; the spread of PPO's was not kept."""


def against_reference(known: dict[str, tuple[str, float, float]], trials: int, seeds: int, processes: int) -> None:
    """Print test accuracy beside an independent program's."""
    calls = tuple(call for call, _, _ in known.values())
    grid = Grid(nas.benchmarks.load(BENCHMARK), calls, seeds, Protocol(trials=trials))
    results = Results(grid, run_grid(grid, processes=processes))
    table = Table(f"test %, {trials} evaluations", "found", "reference", "apart", "CPU ms a trial")
    table.caption = f"{seeds} seeds; apart: standard errors of the difference to the reference"
    for name, (call, mean, sd) in known.items():
        accuracy = 100 * (1 - results.at(trials)[call])
        error = np.sqrt(accuracy.var(ddof=1) / seeds + (accuracy.var(ddof=1) if np.isnan(sd) else sd**2) / 500)
        milliseconds = np.mean([run.cpu_milliseconds for run in results.of(call)])
        found = f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}"
        table.add_row(name, found, f"{mean:.2f}", f"{(accuracy.mean() - mean) / error:+.1f}", f"{milliseconds:.2f}")
    CONSOLE.print(table)


# --- Q-learning ----------------------------------------------------------------------------------

EPSILONS = (1.0, 0.6, 0.2, 0.1)
REFERENCE = (68.9, 71.6, 72.9, 74.2)


def q_learning(seeds: int) -> None:
    """Print how the mean of what Q-learning samples rises as epsilon falls."""
    strategy = QLearning(n_replays=128).scaled(270)
    bench = nas.benchmarks.load(BENCHMARK)
    rows = []
    for seed in range(seeds):
        study = nas.Study(space=bench.space, estimator=bench.estimator, objectives=["valid_error"], storage=None)
        study.run(strategy, trials=270, seed=seed)
        accuracy = 100 * (1 - study.history.losses()[:, 0])
        epsilon = np.array([trial.proposal.attributes["epsilon"] for trial in study.history.trials()])
        rows.append([accuracy[epsilon == e].mean() for e in EPSILONS])
    means = np.array(rows)
    table = Table("q-learning, mean accuracy sampled, %", *(f"epsilon {e:g}" for e in EPSILONS))
    table.add_row("found", *(f"{m:.1f} ± {s:.1f}" for m, s in zip(means.mean(0), means.std(0, ddof=1), strict=True)))
    table.add_row("reference", *map(str, REFERENCE))
    table.caption = f"{np.sum(means[:, -1] > means[:, 0])} of {seeds} runs rose"
    CONSOLE.print(table)


# --- the command line's settings -----------------------------------------------------------------


def found_by(strategy: Strategy, trials: int, seed: int) -> tuple[float, float, float]:
    """Return accuracies in per cent: test of the best by validation, means of the first and last third sampled."""
    bench = nas.benchmarks.load(BENCHMARK)
    study = nas.Study(space=bench.space, estimator=bench.estimator, objectives=["valid_error"], storage=None)
    best = study.run(strategy, trials=trials, seed=seed).front()[0]
    errors, third = study.history.losses()[:, 0], trials // 3
    first, last = errors[:third].mean(), errors[-third:].mean()
    return 100 * (1 - best.report["test_error"]), 100 * (1 - first), 100 * (1 - last)


def settings(seeds: int) -> None:
    """Print what the methods find as the command line sets them for so many trials."""
    columns = ("50", "100", "200", "of 100: first third", "last third", "rose")
    table = Table("test %, as the command line sets them, no repeats", *columns, caption=f"{seeds} seeds")
    for cls in (RandomSearch, RegularizedEvolution, Reinforce, PPO, QLearning):
        # Of each number of trials, the accuracies of each seed.
        found = [np.array([found_by(cls().scaled(n), n, seed) for seed in range(seeds)]) for n in (50, 100, 200)]
        cells = [f"{best.mean():.2f} ± {best.std(ddof=1):.2f}" for best in (of_n[:, 0] for of_n in found)]
        _, first, last = found[1].T
        rose = f"{np.sum(last > first)} of {seeds}"
        table.add_row(str(STRATEGIES.name_of(cls)), *cells, f"{first.mean():.1f}", f"{last.mean():.1f}", rose)
    CONSOLE.print(table)


# --- costs ---------------------------------------------------------------------------------------


def cost(trials: int) -> None:
    """Print what proposals on ``nasnet`` cost, those that learn from a batch included."""
    table = Table(f"nasnet, {trials:,} trials", "median ask", "mean ask", "longest ask", "from the log")
    table.caption = "CPU: milliseconds an ask, over the last tenth of the trials; seconds to begin anew from all"
    for call in ("reinforce", "reinforce(policy=logits())", "ppo", "ppo(policy=logits())", "q-learning"):
        strategy, storage = STRATEGIES.create(call), MemoryStorage()
        spent = asks(new_study(storage), strategy, trials)[-trials // 10 :]
        anew = asks(new_study(storage), strategy, 1)[0]
        numbers = (np.median(spent), spent.mean(), spent.max())
        table.add_row(call, *(f"{1e3 * number:.1f} ms" for number in numbers), f"{anew:.1f} s")
    CONSOLE.print(table)


def new_study(storage: MemoryStorage) -> nas.Study:
    """Return a study of cells whose loss is the length of their text; a stored one goes on."""
    return nas.Study(space=nas.spaces.load("nasnet"), objectives=["loss"], storage=storage, name="cost")


def asks(study: nas.Study, strategy: Strategy, n: int) -> NDArray[np.float64]:
    """Return the CPU seconds of each of n asks."""
    spent = []
    for _ in range(n):
        begun = time.process_time()
        trial = study.ask(strategy)
        spent.append(time.process_time() - begun)
        assert trial is not None
        assert trial.architecture is not None
        study.tell(trial, {"loss": len(trial.architecture.text) / 2_500})
    return np.array(spent)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--part", choices=["reinforce", "ppo", "q-learning", "settings", "cost"])
    parser.add_argument("--trials", type=int, default=1_000, help="of the part cost")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "reinforce": partial(against_reference, HUNDRED, 100, arguments.seeds, arguments.processes),
        "ppo": partial(against_reference, TWO_HUNDRED, 200, arguments.seeds, arguments.processes),
        "q-learning": partial(q_learning, min(arguments.seeds, 30)),
        "settings": partial(settings, min(arguments.seeds, 100)),
        "cost": partial(cost, arguments.trials),
    }
    begun = time.monotonic()
    for name, part in parts.items():
        if arguments.part in (None, name):
            part()
    CONSOLE.print(f"{time.monotonic() - begun:.0f} seconds on {arguments.processes} processes")


if __name__ == "__main__":
    main()
