"""A recurrent cell that was found beside an LSTM and a GRU of as many parameters, on tiny Shakespeare.

Evolution searches the trees of Zoph & Le by short trainings on a share of the text; the best cell, an
LSTM and a GRU are then trained anew by one recipe, and judged on the test part. Deviations are over
seeds of the final trainings; the search is one.

    python benchmarks/recurrent.py [TEXT [TRIALS [FRACTION [EPOCHS [SEEDS]]]]]

TEXT is a task such as ``text:play.txt``. No published perplexity is of these texts and sizes.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

import nasturtium as nas
from nasturtium.estimators import Assignment, Context, Training
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._judging import judge
from nasturtium.networks import build
from nasturtium.tasks import load_task

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture
    from nasturtium.tasks import Task

HIDDEN = 64


class Shelf:
    """Keeps the last checkpoint in memory."""

    data = b""

    def load(self, number: int) -> bytes | None:
        """Return nothing: no training begins with another's weights."""
        del number
        return None

    def reference(self, number: int) -> str | None:
        """Return nothing."""
        del number
        return None

    def save(self, data: bytes) -> str:
        """Keep a checkpoint."""
        self.data = data
        return "last"


def test_perplexity(space: Any, architecture: Architecture, task: Task, epochs: int, seed: int) -> float:
    """Return the perplexity on the test part after a training on all the rest, with averaged weights."""
    shelf = Shelf()
    training = Training(epochs=1).final(epochs)
    fidelity = training.ladder()[-1].fidelity
    for _ in training.evaluate(Assignment(0, architecture, fidelity), Context(space, task.for_final(), seed, shelf)):
        pass
    network = build(space.graph(architecture).simplified())
    network.load_state_dict(dict(Checkpoint.from_bytes(shelf.data).network))
    return judge(network, task, task.test(), "test")["test_perplexity"]


def as_large(params: int, kind: str, task: Task) -> tuple[Any, Architecture]:
    """Return the baseline whose number of parameters is closest."""
    found = []
    for hidden in range(8, 1_000, 2):
        space = nas.spaces.load("recurrent-baseline", hidden=hidden).on(task)
        architecture = space.parse(f'{{"kind": "{kind}"}}')
        found.append((abs(space.graph(architecture).params - params), hidden, space, architecture))
        if space.graph(architecture).params > 2 * params:
            break
    _, _, space, architecture = min(found, key=lambda entry: entry[:2])
    return space, architecture


def main(text: str, trials: int, fraction: float, epochs: int, seeds: int) -> None:
    """Search, train anew, print."""
    task = load_task(text)
    space = nas.spaces.load("recurrent", hidden=HIDDEN).on(task)
    begun = time.process_time()
    study = nas.Study(
        space=space,
        estimator=Training(epochs=1, fraction=fraction),
        objectives=["valid_perplexity"],
        task=task,
    )
    study.run(nas.strategies.RegularizedEvolution(population_size=8, sample_size=4), trials=trials, seed=0)
    finished = study.history.finished()
    values = [trial.metrics["valid_perplexity"] for trial in finished]
    best = min(finished, key=lambda trial: trial.metrics["valid_perplexity"])
    seconds = time.process_time() - begun
    console = Console(width=120)
    console.print(
        f"{task}\n{trials} candidates, each an epoch on {fraction:.0%} of the text, {trials - len(finished)} diverged, "
        f"{seconds / trials:.1f} CPU s a candidate; validation perplexity: the first 8 {np.median(values[:8]):.2f} "
        f"(median), the last 8 {np.median(values[-8:]):.2f}, the best {min(values):.2f}\n{best.architecture.text}"
    )
    table = Table("network", "parameters", "multiply-accumulates", "test perplexity", "deviation", "CPU s a training")
    assert best.architecture is not None
    params = space.graph(best.architecture).params
    rows = [("found cell", space, best.architecture)]
    rows += [(kind.upper(), *as_large(params, kind, task)) for kind in ("lstm", "gru")]
    rows += [("random cell", space, space.sample(np.random.default_rng(1)))]
    for name, where, architecture in rows:
        begun = time.process_time()
        measured = []
        for seed in range(seeds):
            try:
                measured.append(test_perplexity(where, architecture, task, epochs, seed))
            except RuntimeError as error:
                console.print(f"{name}, seed {seed}: {error}")
        graph = where.graph(architecture)
        mean, spread = (np.mean(measured), np.std(measured, ddof=1)) if len(measured) > 1 else (np.nan, np.nan)
        cost = f"{(time.process_time() - begun) / seeds:.0f}"
        table.add_row(name, f"{graph.params:,}", f"{graph.flops:,}", f"{mean:.3f}", f"{spread:.3f}", cost)
        console.print(name, measured)
    console.print(table)


if __name__ == "__main__":
    given = sys.argv[1:]
    kinds = (str, int, float, int, int)
    usual = ("text:tinyshakespeare", 40, 0.15, 2, 3)
    main(*(kind(value) for kind, value in zip(kinds, [*given, *usual[len(given) :]], strict=True)))  # type: ignore[arg-type]
