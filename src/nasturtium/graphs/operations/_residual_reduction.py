"""The residual block that halves the image between the stages of NAS-Bench-201."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.graphs._base import OPERATIONS, Composite, Shape, image
from nasturtium.graphs._graph import Builder, Graph, chain_of
from nasturtium.graphs.operations._conv import Conv
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._merging import Add
from nasturtium.graphs.operations._pooling import AvgPool


@final
@OPERATIONS.register("residual_reduction")
@dataclass(frozen=True)
class ResidualReduction(Composite):
    """Two preactivated 3x3 convolutions, the first with stride 2, around a mean and a 1x1 convolution.

    The mean is over 2x2 pixels; for images with an odd side, which the benchmark hasn't, it is over
    3x3 pixels around every other one, so that both ways give the same sides.

    Args:
        out: Output channels; None keeps the input's.

    Example:
        >>> ResidualReduction(32).params((16, 32, 32)), ResidualReduction(32).shape((16, 7, 7))
        (14464, (32, 4, 4))

    References:
        Dong & Yang 2020, NAS-Bench-201 (arXiv 2001.00326), section 2.1.
    """

    out: int | None = None

    def body(self, *inputs: Shape) -> Graph:
        """Return conv(conv(x)) + 1x1(mean(x))."""
        _, height, width = image(self, inputs)
        b = Builder()
        x = b.input("x")
        y = b.add("conv1", Conv(self.out, 3, 2, preactivated=True), x)
        y = b.add("conv2", Conv(self.out, 3, preactivated=True), y)
        x = b.add("around_pool", AvgPool(3 if height % 2 or width % 2 else 2, 2), x)
        x = b.add("around", Conv2d(self.out, 1), x)
        return b.graph(b.add("sum", Add(), x, y))


@final
@OPERATIONS.register("doubling_reduction")
@dataclass(frozen=True)
class DoublingReduction(Composite):
    """The same block with twice the input's channels, wherever it stands.

    Example:
        >>> DoublingReduction().shape((16, 32, 32))
        (32, 16, 16)
    """

    def body(self, *inputs: Shape) -> Graph:
        """Return the block."""
        channels, _, _ = image(self, inputs)
        return chain_of([("reduction", ResidualReduction(2 * channels))])
