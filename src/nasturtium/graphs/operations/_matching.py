"""Operations that make images fit each other: without weights, so that any two can be joined.

Cartesian genetic programming pools the larger image down and pads channels with zeros; large-scale
evolution resizes to the first input. Both add no parameters, unlike a 1x1 convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Operation, Shape, expect, image, images
from nasturtium.graphs._graph import Builder, Graph, chain_of
from nasturtium.graphs.operations._conv import Conv
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._merging import Adapters, Add, Concat, merged
from nasturtium.graphs.operations._pointwise import Activation, BatchNorm, Identity
from nasturtium.graphs.operations._pooling import AvgPool, MaxPool


@final
@OPERATIONS.register("fit_channels")
@dataclass(frozen=True)
class FitChannels(Operation):
    """The first channels of an image, or zeros behind them.

    Args:
        out: Output channels.
    """

    out: int

    def __post_init__(self) -> None:
        """Check that there is a channel."""
        if self.out < 1:
            raise UsageError(f"an image has at least 1 channel, got out={self.out}; raise it.")

    def shape(self, *inputs: Shape) -> Shape:
        """Return (out, height, width)."""
        return (self.out, *image(self, inputs)[1:])

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the slice, the padded image, or the image itself."""
        missing = self.out - image(self, inputs)[0]
        if missing > 0:
            return Expression(f"functional.pad({{0}}, (0, 0, 0, 0, 0, {missing}))")
        return Expression(f"{{0}}[:, :{self.out}]" if missing else "{0}")


@final
@OPERATIONS.register("resize")
@dataclass(frozen=True)
class Resize(Operation):
    """Zeroth-order interpolation: each pixel of the result is the nearest one of the image.

    Args:
        height: Of the result.
        width: Of the result.
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        """Check that there is a pixel."""
        if min(self.height, self.width) < 1:
            raise UsageError(f"an image is at least 1 x 1, got {self.height} x {self.width}; raise both.")

    def shape(self, *inputs: Shape) -> Shape:
        """Return (channels, height, width)."""
        return (image(self, inputs)[0], self.height, self.width)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the interpolated image, or the image itself."""
        if image(self, inputs)[1:] == (self.height, self.width):
            return Expression("{0}")
        return Expression(f"functional.interpolate({{0}}, size=({self.height}, {self.width}))")


@final
@OPERATIONS.register("halve")
@dataclass(frozen=True)
class Halve(Composite):
    """Pooling over 2x2 windows with stride 2; an image one pixel high or wide stays as it is.

    Args:
        function: ``"max"`` or ``"mean"``.
    """

    function: str = "max"

    def __post_init__(self) -> None:
        """Check the function's name."""
        if self.function not in ("max", "mean"):
            raise UsageError(f"function is 'max' or 'mean', got {self.function!r}; choose one.")

    def body(self, *inputs: Shape) -> Graph:
        """Return one pooling, or an identity."""
        _, *sides = image(self, inputs)
        pool = MaxPool(2, 2) if self.function == "max" else AvgPool(2, 2)
        return chain_of([("pool", pool if min(sides) > 1 else Identity())])


@final
@OPERATIONS.register("pooled_sum")
@dataclass(frozen=True)
class PooledSum(Composite):
    """Sum of images: larger ones are halved until they fit, fewer channels padded with zeros."""

    commutative: ClassVar[bool] = True

    def body(self, *inputs: Shape) -> Graph:
        """Return halvings, paddings and the sum."""
        return _halved(self, inputs, Add(), max((shape[0] for shape in inputs), default=0))


@final
@OPERATIONS.register("pooled_concat")
@dataclass(frozen=True)
class PooledConcat(Composite):
    """Concatenation of images: larger ones are halved until they fit."""

    def body(self, *inputs: Shape) -> Graph:
        """Return halvings and the concatenation."""
        return _halved(self, inputs, Concat(), 0)


def _halved(merge: Composite, inputs: tuple[Shape, ...], last: Operation, most: int) -> Graph:
    """Return the merge of images that are max-pooled to the smallest one's sides and have channels to fit."""
    images(merge, inputs)
    least = min(shape[1:] for shape in inputs)

    def adapters(shape: Shape) -> Adapters:
        channels, *sides = shape
        n = 0
        while tuple(sides) != least and min(sides) > 1:
            yield f"halve_{n}", MaxPool(2, 2)
            sides, n = [side // 2 for side in sides], n + 1
        expect(tuple(sides) == least, merge, inputs, "sides that are halves of each other")
        if channels < most:
            yield "pad", FitChannels(most)

    return merged(inputs, last, adapters)


@final
@OPERATIONS.register("padded_residual")
@dataclass(frozen=True)
class PaddedResidual(Composite):
    """Two convolutions around which the input is added, the fewer channels padded with zeros.

    Args:
        out: Channels of both convolutions; the result has the input's if those are more.
        kernel: Odd side of both windows.
    """

    out: int
    kernel: int = 3

    def body(self, *inputs: Shape) -> Graph:
        """Return relu(x + norm(conv(relu(norm(conv(x))))))."""
        image(self, inputs)
        b = Builder()
        x = b.input("x")
        y = b.add("first", Conv(self.out, self.kernel), x)
        y = b.add("norm", BatchNorm(), b.add("second", Conv2d(self.out, self.kernel), y))
        return b.graph(b.add("relu", Activation("relu"), b.add("sum", PooledSum(), x, y)))


@final
@OPERATIONS.register("sum_to_first")
@dataclass(frozen=True)
class SumToFirst(Composite):
    """Sum of images in the shape of the first: the others are resized, and cut or padded."""

    def body(self, *inputs: Shape) -> Graph:
        """Return what fits the later inputs to the first, and the sum."""
        images(self, inputs)
        channels, *sides = inputs[0]

        def adapters(shape: Shape) -> Adapters:
            if list(shape[1:]) != sides:
                yield "resize", Resize(*sides)
            if shape[0] != channels:
                yield "fit", FitChannels(channels)

        return merged(inputs, Add(), adapters)
