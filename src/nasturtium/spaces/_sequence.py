"""What the spaces of recurrent cells share: the network around the cell, which runs once a time step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph
from nasturtium.graphs import operations as o

if TYPE_CHECKING:
    from nasturtium.graphs import Shape, Wire


def check_sequence(hidden: int, layers: int, dropout: float) -> None:
    """Check what every space of recurrent cells takes.

    Raises:
        UsageError: A size is below 1, or the rate is not in [0, 1).
    """
    if min(hidden, layers) < 1:
        raise UsageError(f"hidden and layers are at least 1, got {hidden} and {layers}; raise them.")
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is in [0, 1), got {dropout}; choose a rate between.")


def sequence_graph(
    cell: Graph, input_shape: Shape | None, n_outputs: int | None, *, hidden: int, layers: int, dropout: float
) -> Graph:
    """Return the network that reads one element of a sequence a time step.

    A token (an input of the shape ``()``) is embedded, anything else goes through a linear layer;
    then come the layers of the cell, then a linear layer. Dropout stands before each of them.

    Args:
        cell: A graph of ``hidden`` features to as many, which remembers; open or closed.
        input_shape: Shape of one element.
        n_outputs: Values for one element; for tokens, also how many there are.
        hidden: Features of embedding and cell.
        layers: How many cells follow each other.
        dropout: Rate.
    """
    b = Builder()

    def dropped(x: Wire, index: int) -> Wire:
        return b.add(f"dropout_{index}", o.Dropout(dropout), x) if dropout else x

    if input_shape == ():
        x = b.add("embedding", o.Embedding(n_outputs, hidden), b.input("token", ()))
    else:
        x = b.input("element", input_shape)
        if input_shape is not None and len(input_shape) > 1:
            x = b.add("flatten", o.Flatten(), x)
        x = b.add("embedding", o.Linear(hidden), x)
    for layer in range(layers):
        x = b.add(f"cell_{layer}", cell, dropped(x, layer))
    return b.graph(b.add("head", o.Linear(n_outputs), dropped(x, layers)))
