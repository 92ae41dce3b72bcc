"""Convolution blocks: convolution, normalization and activation in one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Operation, Shape, expect, image
from nasturtium.graphs._graph import Builder, Graph, chain_of
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._merging import Add
from nasturtium.graphs.operations._pointwise import Activation, BatchNorm
from nasturtium.graphs.operations._pooling import AvgPool

Parts = list[tuple[str, Operation]]


def _ordered(parts: Parts, *, preactivated: bool, suffix: str = "") -> Parts:
    """Return ReLU before the convolutions (Zoph et al. 2018) or after normalization."""
    relu: Parts = [(f"relu{suffix}", Activation("relu"))]
    normalized: Parts = [*parts, (f"norm{suffix}", BatchNorm())]
    return relu + normalized if preactivated else normalized + relu


@final
@OPERATIONS.register("conv")
@dataclass(frozen=True)
class Conv(Composite):
    """Convolution, batch normalization and ReLU.

    Args:
        out: Output channels; None keeps the input's.
        kernel: Odd side of the window, or (height, width).
        stride: Step in both directions.
        preactivated: Whether ReLU comes first instead of last.

    Example:
        >>> Conv(16, 3, 2).shape((3, 32, 32)), Conv(16, 3, 2).params((3, 32, 32))
        ((16, 16, 16), 464)
    """

    out: int | None = None
    kernel: int | tuple[int, int] = 3
    stride: int = 1
    preactivated: bool = False

    def body(self, *inputs: Shape) -> Graph:
        """Return conv -> norm -> ReLU, or ReLU -> conv -> norm."""
        image(self, inputs)
        parts: Parts = [("conv", Conv2d(self.out, self.kernel, self.stride))]
        return chain_of(_ordered(parts, preactivated=self.preactivated))


@final
@OPERATIONS.register("sep_conv")
@dataclass(frozen=True)
class SepConv(Composite):
    """Depthwise-separable convolution, batch normalization and ReLU.

    Args:
        out: Output channels; None keeps the input's.
        kernel: Odd side of the depthwise window.
        stride: Step in both directions.
        dilation: Spacing of the window's points.
        repeats: How often the whole is applied; the stride belongs to the first. NASNet: 2.
        preactivated: Whether ReLU comes first instead of last.

    Example:
        >>> SepConv(16).params((8, 32, 32)), Conv(16).params((8, 32, 32))
        (232, 1184)
    """

    out: int | None = None
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    repeats: int = 1
    preactivated: bool = False

    def __post_init__(self) -> None:
        """Check the number of repeats."""
        if self.repeats < 1:
            raise UsageError(f"repeats is at least 1, got {self.repeats}; use identity for none.")

    def body(self, *inputs: Shape) -> Graph:
        """Return depthwise -> pointwise -> norm -> ReLU, ``repeats`` times."""
        image(self, inputs)
        parts: Parts = []
        for i in range(self.repeats):
            suffix = "" if self.repeats == 1 else str(i + 1)
            stride = self.stride if i == 0 else 1
            pair: Parts = [
                (f"depthwise{suffix}", Conv2d(None, self.kernel, stride, self.dilation, groups=0)),
                (f"pointwise{suffix}", Conv2d(self.out if i == self.repeats - 1 else None, 1)),
            ]
            parts += _ordered(pair, preactivated=self.preactivated, suffix=suffix)
        return chain_of(parts)


@final
@OPERATIONS.register("factorized_conv")
@dataclass(frozen=True)
class FactorizedConv(Composite):
    """A ``1 x k`` then a ``k x 1`` convolution, batch normalization and ReLU.

    Args:
        out: Output channels; None keeps the input's.
        kernel: The odd length k.
        stride: Step in both directions, taken by the second convolution.
        preactivated: Whether ReLU comes first instead of last.
    """

    out: int | None = None
    kernel: int = 7
    stride: int = 1
    preactivated: bool = False

    def body(self, *inputs: Shape) -> Graph:
        """Return 1 x k -> k x 1 -> norm -> ReLU."""
        image(self, inputs)
        parts: Parts = [
            ("wide", Conv2d(self.out, (1, self.kernel))),
            ("tall", Conv2d(self.out, (self.kernel, 1), self.stride)),
        ]
        return chain_of(_ordered(parts, preactivated=self.preactivated))


@final
@OPERATIONS.register("reduce")
@dataclass(frozen=True)
class Reduce(Composite):
    """Halves height and width without losing information to a strided 1x1 window.

    A 3x3 mean with stride 2, then a 1x1 convolution and batch normalization. Smooth and cheap;
    works on odd sides.

    Args:
        out: Output channels; None keeps the input's.
    """

    out: int | None = None

    def body(self, *inputs: Shape) -> Graph:
        """Return ReLU -> mean -> 1x1 -> norm."""
        image(self, inputs)
        return chain_of(
            [
                ("relu", Activation("relu")),
                ("pool", AvgPool(3, 2)),
                ("conv", Conv2d(self.out, 1)),
                ("norm", BatchNorm()),
            ]
        )


@final
@OPERATIONS.register("residual")
@dataclass(frozen=True)
class Residual(Composite):
    """Two convolutions around which the input is added (He et al. 2016, basic block).

    Args:
        out: Output channels; None keeps the input's. Another width puts a 1x1 on the way around.
        kernel: Odd side of both windows.
        stride: Step of the first convolution and of the way around.
    """

    out: int | None = None
    kernel: int = 3
    stride: int = 1

    def body(self, *inputs: Shape) -> Graph:
        """Return relu(x + norm(conv(relu(norm(conv(x))))))."""
        channels, _, _ = image(self, inputs)
        b = Builder()
        x = b.input("x")
        y = b.add("conv1", Conv2d(self.out, self.kernel, self.stride), x)
        y = b.add("norm1", BatchNorm(), y)
        y = b.add("relu1", Activation("relu"), y)
        y = b.add("conv2", Conv2d(self.out, self.kernel), y)
        y = b.add("norm2", BatchNorm(), y)
        if self.stride != 1 or self.out not in (None, channels):
            x = b.add("around", Conv2d(self.out, 1, self.stride), x)
            x = b.add("around_norm", BatchNorm(), x)
        y = b.add("sum", Add(), x, y)
        return b.graph(b.add("relu2", Activation("relu"), y))


@final
@OPERATIONS.register("conv_like")
@dataclass(frozen=True)
class ConvLike(Composite):
    """A 1x1 convolution, batch normalization and ReLU to the channels of a second image."""

    def body(self, *inputs: Shape) -> Graph:
        """Return conv -> norm -> ReLU of the first image."""
        expect(len(inputs) == 2 and all(len(s) == 3 for s in inputs), self, inputs, "two images")
        b = Builder()
        x, like = b.input("x"), b.input("like")
        del like  # only its shape is read
        return b.graph(b.add("conv", Conv(inputs[1][0], 1), x))
