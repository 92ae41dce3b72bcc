"""One of several parts of the channels or features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Expression, Operation, Shape, expect


@final
@OPERATIONS.register("part")
@dataclass(frozen=True)
class Part(Operation):
    """One of several nearly equal parts of the channels of an image, or of features.

    The first ones have one more if need be.

    Args:
        index: Which part, from 0 on.
        n_parts: In how many parts the channels are split.
    """

    index: int = 0
    n_parts: int = 2

    def __post_init__(self) -> None:
        """Check that the part is one of them."""
        if not 0 <= self.index < self.n_parts:
            raise UsageError(f"0 <= index < n_parts, got {self.index} and {self.n_parts}; lower the index.")

    def _ends(self, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        expect(len(inputs) == 1 and len(inputs[0]) >= 1, self, inputs, "one input with channels or features")
        channels = inputs[0][0]
        expect(channels >= self.n_parts, self, inputs, f"at least {self.n_parts} channels")
        least, more = divmod(channels, self.n_parts)
        first = self.index * least + min(self.index, more)
        return first, first + least + (self.index < more)

    def shape(self, *inputs: Shape) -> Shape:
        """Return the part's channels with the input's height and width."""
        first, end = self._ends(inputs)
        return (end - first, *inputs[0][1:])

    def symbol(self, *inputs: Shape) -> Expression:
        """Return a slice."""
        first, end = self._ends(inputs)
        return Expression(f"{{0}}[:, {first}:{end}]")
