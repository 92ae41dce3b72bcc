"""How good a network is on a part of the data, after few steps of training too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from nasturtium.networks import carried
from nasturtium.tasks import batches

if TYPE_CHECKING:
    from nasturtium.tasks import Part, Task

JUDGING_BATCH = 256


def recalibrate(network: nn.Module, task: Task, batch_size: int) -> None:
    """Measure the statistics of batch normalization anew, as plain means over training batches."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    n_batches = min(32, max(4, len(task.train) // batch_size // 8))
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the cumulative mean
    dropouts = [m for m in network.modules() if isinstance(m, nn.Dropout)]
    for dropout in dropouts:
        dropout.eval()
    with torch.no_grad():
        for (x, _), _ in zip(batches(task.train, batch_size), range(n_batches), strict=False):
            network(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def judge(network: nn.Module, task: Task, split: Part, part: str) -> dict[str, float]:
    """Return the task's metrics on one part, such as ``valid_error``.

    Args:
        network: Put in evaluation mode.
        task: Says which metrics.
        split: The examples.
        part: ``"train"``, ``"valid"`` or ``"test"``.
    """
    network.eval()
    run, tally = carried(network), split.tally(task.metrics)
    for x, y in batches(split, JUDGING_BATCH):
        tally.add(run(x), y)
    return {f"{part}_{name}": value for name, value in tally.metrics().items()}
