"""The input of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import ShapeError
from nasturtium.graphs._base import OPERATIONS, Expression, Operation, Shape


@final
@OPERATIONS.register("input")
@dataclass(frozen=True)
class Input(Operation):
    """Where a graph is fed.

    Args:
        declared: The shape without the batch, or None if it comes from outside (nested graphs).
    """

    declared: Shape | None = None

    def shape(self, *inputs: Shape) -> Shape:
        """Return the declared shape."""
        if inputs or self.declared is None:
            raise ShapeError("an input node has no inputs and a declared shape; give the shape to infer().")
        return self.declared

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the value that was fed."""
        del inputs
        return Expression("{0}")
