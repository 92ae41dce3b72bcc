"""Reinforcement learning on real trainings: does what is sampled get better, and is it better than random?

    python benchmarks/rl_end_to_end.py [METHOD ...] [--seeds N ...] [--trials N]

METHOD is q-learning (chains on Fashion-MNIST), ppo (NASNet's cells on Fashion-MNIST), reinforce (recurrent
cells on tiny Shakespeare) or ``random-search:`` before one of them, which is random search with the same
data, space and estimator. Each is set for the number of trials as the command line sets it. A candidate is
trained for one epoch on a small share of the data and small images, which takes half a second to two; one
process, one thread. Every line is a run: mean and median reward of the first and of the last third of what
was sampled, where a failed candidate counts as the worst that was seen, and the least loss. The reward is 1 -
error, or the paper's 80 / perplexity^2: perplexities themselves have no useful mean, since a tree that nearly
diverges has one of 1e100.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from rich.console import Console

import nasturtium as nas
from nasturtium.strategies import STRATEGIES
from nasturtium.tasks import load_task

CONSOLE = Console()


class Setting(NamedTuple):
    """What a method searches, and by which estimate."""

    task: str
    space: str
    estimator: str
    objective: str


SETTINGS = {
    "q-learning": Setting(
        "fashion-mnist", "chain", "training(epochs=1, fraction=0.02, resolution=0.25)", "valid_error"
    ),
    "ppo": Setting(
        "fashion-mnist", "nasnet", "training(epochs=1, fraction=0.02, resolution=0.25, width=0.5)", "valid_error"
    ),
    "reinforce": Setting("text:tinyshakespeare", "recurrent", "training(epochs=1, fraction=0.01)", "valid_perplexity"),
}


def run(name: str, trials: int, seed: int) -> str:
    """Return one line about one run."""
    strategy, _, method = name.rpartition(":")
    setting = SETTINGS[method]
    begun = time.monotonic()
    study = nas.Study(
        space=nas.spaces.load(setting.space),
        task=load_task(setting.task),
        estimator=setting.estimator,
        objectives=[setting.objective],
        storage=None,
    )
    study.run(STRATEGIES.create(strategy or method).scaled(trials), trials=trials, seed=seed)
    losses = study.history.losses()[:, 0]
    rewards = 80 / losses**2 if setting.objective == "valid_perplexity" else 1 - losses
    rewards = np.where(np.isfinite(losses), rewards, np.nanmin(rewards))
    third = trials // 3
    first, last = (f"{part.mean():.4f} ({np.median(part):.4f})" for part in (rewards[:third], rewards[-third:]))
    return (
        f"{name}, {setting.space}, seed {seed}, {trials} trials: mean (median) reward of the first third {first}, of "
        f"the last {last}; least {setting.objective} {np.nanmin(losses):.4g}; {time.monotonic() - begun:.0f} s"
    )


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=[*SETTINGS, *(f"random-search:{name}" for name in SETTINGS)])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--trials", type=int, default=100)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        for name in arguments.methods:
            CONSOLE.print(run(name, arguments.trials, seed), soft_wrap=True)


if __name__ == "__main__":
    main()
