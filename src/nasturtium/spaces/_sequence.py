"""What the spaces of recurrent cells share: the network around the cell, which runs once a time step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph
from nasturtium.graphs import operations as o

if TYPE_CHECKING:
    from nasturtium.graphs import Shape, Wire


class Sequential(Protocol):
    """A space of recurrent cells, as far as the network around the cell goes."""

    @property
    def input_shape(self) -> Shape | None:
        """Shape of one element."""

    @property
    def n_outputs(self) -> int | None:
        """Values for one element; for tokens, also how many there are."""

    @property
    def hidden(self) -> int:
        """Features of embedding and cell."""

    @property
    def layers(self) -> int:
        """How many cells follow each other."""

    @property
    def dropout(self) -> float:
        """Rate."""


def check_sequence(space: Sequential) -> None:
    """Check what every space of recurrent cells takes.

    Raises:
        UsageError: A size is below 1, or the rate is not in [0, 1).
    """
    if min(space.hidden, space.layers) < 1:
        raise UsageError(f"hidden and layers are at least 1, got {space.hidden} and {space.layers}; raise them.")
    if not 0 <= space.dropout < 1:
        raise UsageError(f"dropout is in [0, 1), got {space.dropout}; choose a rate between.")


def sequence_graph(space: Sequential, cell: Graph) -> Graph:
    """Return the network that reads one element of a sequence a time step.

    A token (an input of the shape ``()``) is embedded, anything else goes through a linear layer;
    then come the layers of the cell, then a linear layer. Dropout stands before each of them.

    Args:
        space: Says what is read and how large the network is.
        cell: A graph of ``hidden`` features to as many, which remembers; open or closed.
    """
    b = Builder()

    def dropped(x: Wire, index: int) -> Wire:
        return b.add(f"dropout_{index}", o.Dropout(space.dropout), x) if space.dropout else x

    if space.input_shape == ():
        x = b.add("embedding", o.Embedding(space.n_outputs, space.hidden), b.input("token", ()))
    else:
        x = b.input("element", space.input_shape)
        if space.input_shape is not None and len(space.input_shape) > 1:
            x = b.add("flatten", o.Flatten(), x)
        x = b.add("embedding", o.Linear(space.hidden), x)
    for layer in range(space.layers):
        x = b.add(f"cell_{layer}", cell, dropped(x, layer))
    return b.graph(b.add("head", o.Linear(space.n_outputs), dropped(x, space.layers)))
