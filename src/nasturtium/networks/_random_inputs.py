"""Examples of what a network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nasturtium.graphs.operations import token_inputs

if TYPE_CHECKING:
    from torch import Tensor

    from nasturtium.graphs import Graph


def random_inputs(graph: Graph, *lead: int) -> tuple[Tensor, ...]:
    """Return a random tensor for each input of a closed graph, the same each time.

    Inputs are normal, tokens uniform among those that there are.

    Args:
        graph: Its inputs declare their shapes.
        lead: The axes in front: the batch, and the time of what runs over time.

    Example:
        >>> from nasturtium.graphs import Builder
        >>> from nasturtium.graphs.operations import Embedding
        >>> b = Builder()
        >>> graph = b.graph(b.add("embed", Embedding(5, 4), b.input("text", ())))
        >>> random_inputs(graph, 2, 3)[0].shape
        torch.Size([2, 3])
    """
    generator = torch.Generator().manual_seed(0)
    tokens = token_inputs(graph)
    return tuple(
        torch.randint(tokens[node.name][1], (*lead, *graph.shapes[node.name]), generator=generator)
        if node.name in tokens
        else torch.randn(*lead, *graph.shapes[node.name], generator=generator)
        for node in graph.inputs
    )
