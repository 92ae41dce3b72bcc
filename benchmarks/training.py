"""How fast candidates are trained: nasturtium's engine and a textbook pipeline, side by side.

Eight random cells of NAS-Bench-201 are trained one epoch on a part of Fashion-MNIST and judged on
a part of the validation data, by ``textbook.py`` and by the estimator ``training``, in turn and in
this process, in one thread. CPU time is measured, so that others on the machine disturb little;
trust ratios. Batches, augmentation and data are the same.

    python benchmarks/training.py [--quick]
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from textbook import Images, accuracy, network, train_epoch

from nasturtium.estimators import Assignment, Context, Training
from nasturtium.estimators._descent import Descent
from nasturtium.estimators._recipes import RECIPES
from nasturtium.networks import accelerated, build
from nasturtium.spaces import load
from nasturtium.tasks import load_task
from nasturtium.testing._running import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from nasturtium.spaces import Architecture, NASBench201
    from nasturtium.tasks import Task

BATCH = 64
FRACTION = 0.1 if "--quick" in sys.argv else 0.25
CELLS = 4 if "--quick" in sys.argv else 8
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")


def cpu(job: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    begun = time.process_time()
    job()
    return time.process_time() - begun


def small_task(task: Task) -> Task:
    """Return the task with a part of its examples for training and for validation."""
    part = task.subset(FRACTION)
    return replace(part, valid=part.valid.select(torch.arange(round(FRACTION * len(part.valid)))))


def textbook_seconds(task: Task, architecture: Architecture, filters: int, side: int) -> float:
    """Return the CPU seconds of a candidate in the textbook pipeline."""
    train, valid = (
        Images(split.x.contiguous(), split.y, augment=augment, size=side)
        for split, augment in ((task.train, True), (task.valid, False))
    )

    def candidate() -> None:
        model = network([architecture[edge] for edge in EDGES], filters)
        train_epoch(model, train, BATCH)
        accuracy(model, valid, BATCH)

    return cpu(candidate)


def our_seconds(space: NASBench201, task: Task, architecture: Architecture, side: int) -> float:
    """Return the CPU seconds of a candidate of the estimator."""
    training = Training(epochs=1, batch_size=BATCH, resolution=side / 28, augment_from=1)
    assignment = Assignment(0, architecture, training.ladder()[-1].fidelity)
    return cpu(lambda: list(training.evaluate(assignment, Context(space, task, 0, Shelf()({})))))


def ratios(console: Console, task: Task) -> None:
    """Print candidates an hour of both, and how they compare at one size and with the textbook's 28 x 28."""
    table = Table("candidates an hour", "textbook", "nasturtium", "median ratio", "least", "most", "to 28x28")
    for filters in (8, 16):
        space = load("nasbench201", cells=1, filters=filters).on(task)
        rng = np.random.default_rng(0)
        cells = [space.sample(rng) for _ in range(CELLS)]
        whole: list[float] = []
        for side in (28, 16):
            our_seconds(space, task, cells[0], side)  # the smaller images are made once a worker
            pairs = [
                (textbook_seconds(task, cell, filters, side), our_seconds(space, task, cell, side)) for cell in cells
            ]
            theirs, ours = (list(column) for column in zip(*pairs, strict=True))
            whole = whole or theirs
            found = sorted(a / b for a, b in pairs)
            table.add_row(
                f"C={filters}, {side}x{side}",
                *(f"{3600 * FRACTION / median(seconds):.0f}" for seconds in (theirs, ours)),
                *(f"{ratio:.2f}" for ratio in (median(found), found[0], found[-1])),
                f"{median(a / b for a, b in zip(whole, ours, strict=True)):.2f}",
            )
    console.print(table)
    console.print("wanted of C=8: at least 2.2 at 28x28, and 4.5 at 16x16")


def step_seconds(space: NASBench201, architecture: Architecture, shape: tuple[int, ...], repeats: int = 12) -> float:
    """Return the least CPU seconds of a step of training on a batch of this shape."""
    graph = space.graph(architecture).simplified()
    built = build(graph).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    running, descent = accelerated(built), Descent(built, RECIPES["fast"])
    x = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    y = torch.arange(len(x)) % 10

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(running(x), y)
        descent.zero_grad()
        loss.backward()
        descent.step(0.5)

    step()
    return min(cpu(step) for _ in range(repeats))


def details(console: Console, task: Task) -> None:
    """Print the fixed overhead, the arithmetic that is reached, and throughput by batch size."""
    space = load("nasbench201", cells=1, filters=8).on(task)
    cell = space.parse(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    )
    tiny = 1e3 * step_seconds(space, cell, (2, 1, 4, 4), 50)
    console.print(f"fixed overhead: {tiny:.1f} ms a step at batch 2 on 4x4 images (wanted <= 3)")
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    product = 2 * 1024**3 / min(cpu(lambda: a @ b) for _ in range(10)) / 1e9
    for filters in (8, 16):
        wide = load("nasbench201", cells=1, filters=filters).on(task)
        seconds = step_seconds(wide, cell, (128, 1, 28, 28))
        # A step is three times the forward pass, two operations a multiply-accumulate.
        reached = 6 * 128 * wide.graph(cell).flops / seconds / 1e9
        console.print(f"C={filters}: {reached:.0f} GFLOP/s of {product:.0f} in a matrix product")
    rates = {n: n / step_seconds(space, cell, (n, 1, 28, 28)) for n in (16, 32, 64, 128, 256)}
    console.print("images a second by batch size: " + ", ".join(f"{n}: {rate:.0f}" for n, rate in rates.items()))


def side_by_side(console: Console) -> None:
    """Print what two processes of one thread, and one of two threads, do by the clock."""
    times = {}
    for processes, threads in ((1, 1), (2, 1), (1, 2)):
        program = [sys.executable, __file__, "--steps", str(threads)]
        begun = time.perf_counter()
        running = [subprocess.Popen(program) for _ in range(processes)]
        for process in running:
            process.wait()
        times[processes, threads] = processes / (time.perf_counter() - begun)
    one = times[1, 1]
    console.print(
        f"by the clock, against one process with one thread: two processes {times[2, 1] / one:.2f}, "
        f"one process with two threads {times[1, 2] / one:.2f} (others on the machine disturb this)"
    )


def steps(threads: int) -> None:
    """Train for some steps, as ``side_by_side`` wants it."""
    torch.set_num_threads(threads)
    task = load_task("fashion-mnist").for_search()
    space = load("nasbench201", cells=1, filters=8).on(task)
    step_seconds(space, space.at(1462), (128, 1, 28, 28), 40 if "--quick" in sys.argv else 150)


def main() -> None:
    """Print everything."""
    if "--steps" in sys.argv:
        steps(int(sys.argv[sys.argv.index("--steps") + 1]))
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    console = Console(highlight=False, width=120)
    task = small_task(load_task("fashion-mnist").for_search())
    details(console, task)
    ratios(console, task)
    side_by_side(console)


if __name__ == "__main__":
    main()
