"""Lower fidelity: less data, smaller images, fewer filters, fewer cells, in any combination."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.errors import UsageError
from nasturtium.spaces import ClosedNetworkSpace

if TYPE_CHECKING:
    from nasturtium.spaces import Space
    from nasturtium.tasks import Task
    from nasturtium.trials import Fidelity


def reduced(space: Space, task: Task, fidelity: Fidelity) -> tuple[Space, Task]:
    """Return space and task as a fidelity wants them; the architectures stay the same.

    Args:
        space: Bound to the task.
        task: Of a search or a final training.
        fidelity: Its epochs don't matter here.

    Raises:
        UsageError: The space has no number of filters or cells to change, or the examples are no
            images.

    References:
        Klein et al. 2017, Fabolas (arXiv 1605.07079), data; Chrabaszcz, Loshchilov & Hutter 2017
        (arXiv 1707.08819), images; Zoph et al. 2018 (arXiv 1707.07012), filters and cells.
    """
    smaller = _smaller(task, fidelity.fraction, fidelity.resolution)
    if fidelity.width != 1.0 or fidelity.cells is not None:
        if not isinstance(space, ClosedNetworkSpace):
            raise UsageError(
                f"width and cells are changed in stacked spaces, got {type(space).__name__}; leave both as they are."
            )
        space = space.reduced(fidelity.width, fidelity.cells)
    return space if fidelity.resolution == 1.0 else space.on(smaller), smaller


@lru_cache(maxsize=8)
def _smaller(task: Task, fraction: float, resolution: float) -> Task:
    """Return the task with less data; the last ones are kept, for they serve many candidates."""
    smaller = task if fraction == 1.0 else task.subset(fraction)
    return smaller if resolution == 1.0 else smaller.resized(resolution)
