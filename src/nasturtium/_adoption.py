"""``space_from``: an existing network becomes the middle of a search space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasturtium.spaces import Around

if TYPE_CHECKING:
    from torch import Tensor, nn


def space_from(
    module: nn.Module,
    example: Tensor | Sequence[int],
    *,
    widths: Sequence[float] = (0.5, 1.0, 1.5),
    depth: int = 1,
    kernels: Sequence[int] = (-2, 0, 2),
) -> Around:
    """Return the space of networks like an existing one: other widths, depths and kernels.

    The network itself is a member, ``space.original``; its weights are not taken over. See
    ``nasturtium.spaces.Around`` for what may change.

    Args:
        module: A plain network that ``torch.fx`` can trace, from images or vectors to a vector whose
            length its last layer sets.
        example: A batch of inputs, or the shape of one input without the batch.
        widths: Factors on each layer's width to choose from; 1 must be among them.
        depth: How many layers or blocks a run of like ones may lose or gain.
        kernels: What to add to the side of each window, to choose from; 0 must be among them.

    Raises:
        UsageError: The module can't be traced, holds what nasturtium has no operation for, or does
            not end in a layer with a width.

    Example:
        >>> from torch import nn
        >>> layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
        >>> space = space_from(nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 64, 10)), (1, 8, 8))
        >>> space.size, space.original.text
        (117, '{"width._0":8,"kernel._0":3,"depth._2":1,"kernel._2":3}')
    """
    from nasturtium.networks import graph_of  # not before it is needed: torch takes a second

    shape = example if isinstance(example, Sequence) else example.shape[1:]
    graph = graph_of(module, tuple(int(side) for side in shape))
    return Around(
        base=graph,
        widths=tuple(widths),
        depth=depth,
        kernels=tuple(kernels),
        input_shape=graph.shapes[graph.inputs[0].name],
        n_outputs=graph.infer().outputs[0][0],
    )
