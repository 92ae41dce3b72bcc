"""What the final training makes of a network in so many CPU seconds, on one core.

The baseline ``residual`` has fewer than 100,000 parameters; wanted is a test error on Fashion-MNIST
of at most 8.2 % after 300 CPU seconds, over three seeds. The number of epochs is fixed beforehand,
from the time that a few steps take; the test data is read once, at the end.

    python benchmarks/final_training.py [--seconds 300] [--seeds 3] [--baseline residual]
"""

from __future__ import annotations

import argparse
import time
from statistics import mean, stdev
from typing import TYPE_CHECKING

import torch
from rich.console import Console

from nasturtium import baselines
from nasturtium.estimators import Assignment, Context, Training
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._judging import judge
from nasturtium.networks import build
from nasturtium.tasks import Task, load_task
from nasturtium.testing._running import Shelf

if TYPE_CHECKING:
    from nasturtium.spaces import NetworkSpace
    from nasturtium.trials import Fidelity

PROBE = 0.05
"""Share of the data whose training is timed to plan the epochs."""


def trained(space: NetworkSpace, task: Task, training: Training, seed: int) -> tuple[Checkpoint, float]:
    """Train the one network of a space; return its state and the CPU seconds."""
    [architecture] = space
    shelf = Shelf()
    fidelity: Fidelity = training.ladder()[-1].fidelity
    begun = time.process_time()
    for _ in training.evaluate(Assignment(0, architecture, fidelity), Context(space, task, seed, shelf({}))):
        pass
    seconds = time.process_time() - begun
    return Checkpoint.from_bytes(list(shelf.data.values())[-1]), seconds


def main() -> None:
    """Print the test error of every seed, their mean and spread."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--baseline", default="residual")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    console = Console(highlight=False)
    whole = load_task("fashion-mnist")
    task, space = whole.for_final(), baselines.load(given.baseline).on(whole)
    [architecture] = space
    graph = space.graph(architecture)
    # The difference, for what is done once a training is no part of an epoch.
    short, longer = (trained(space, task.subset(PROBE), Training().final(n), seed=0)[1] for n in (2, 6))
    epochs = max(1, int(given.seconds * PROBE * 4 / (longer - short)))
    console.print(f"{given.baseline}: {graph.params:,} parameters, {epochs} epochs")
    errors = []
    for seed in range(given.seeds):
        state, seconds = trained(space, task, Training().final(epochs), seed)
        network = build(graph.simplified())
        network.load_state_dict(dict(state.network))
        errors.append(judge(network, whole, whole.test(), "test")["test_error"])
        console.print(f"seed {seed}: test error {errors[-1]:.2%} after {seconds:.0f} CPU s")
    spread = stdev(errors) if len(errors) > 1 else 0.0
    console.print(f"mean {mean(errors):.2%}, sd {spread:.2%} over {len(errors)} seeds (wanted <= 8.20%)")


if __name__ == "__main__":
    main()
