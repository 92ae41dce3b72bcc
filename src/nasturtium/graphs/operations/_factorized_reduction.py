"""The factorized reduction: half the height and width, every pixel still read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Operation, Shape, expect, image
from nasturtium.graphs._graph import Builder, Graph
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._merging import Concat
from nasturtium.graphs.operations._pointwise import Activation, BatchNorm


@final
@OPERATIONS.register("shift")
@dataclass(frozen=True)
class Shift(Operation):
    """The image moved up and left by one pixel; zeros move in."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return image(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return a padded slice."""
        image(self, inputs)
        return Expression("functional.pad({0}, (0, 1, 0, 1))[:, :, 1:, 1:]")


@final
@OPERATIONS.register("factorized_reduction")
@dataclass(frozen=True)
class FactorizedReduction(Composite):
    """Two strided 1x1 convolutions, one on the shifted image, side by side (Zoph et al. 2018).

    ReLU first, batch normalization last. Each convolution gives half of the channels.

    Args:
        out: Output channels, at least 2; None keeps the input's.

    Example:
        >>> FactorizedReduction(16).shape((8, 32, 32))
        (16, 16, 16)
    """

    out: int | None = None

    def __post_init__(self) -> None:
        """Check that both halves have a channel."""
        if self.out is not None and self.out < 2:
            raise UsageError(f"a factorized reduction gives at least 2 channels, got out={self.out}; use reduce.")

    def body(self, *inputs: Shape) -> Graph:
        """Return ReLU -> (1x1, shift -> 1x1) -> concatenation -> norm."""
        channels, _, _ = image(self, inputs)
        out = self.out or channels
        expect(out >= 2, self, inputs, "at least 2 channels")
        b = Builder()
        x = b.add("relu", Activation("relu"), b.input("x"))
        even = b.add("even", Conv2d(out - out // 2, 1, 2), x)
        odd = b.add("odd", Conv2d(out // 2, 1, 2), b.add("shift", Shift(), x))
        return b.graph(b.add("norm", BatchNorm(), b.add("both", Concat(), even, odd)))
