"""The inverted residual block of mobile networks, and the squeeze-and-excitation inside of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Operation, Shape, expect, image
from nasturtium.graphs._graph import Builder, Graph
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._linear import Linear
from nasturtium.graphs.operations._merging import Add
from nasturtium.graphs.operations._pointwise import Activation, BatchNorm
from nasturtium.graphs.operations._pooling import GlobalPool

if TYPE_CHECKING:
    from nasturtium.graphs._graph import Wire


@final
@OPERATIONS.register("gate")
@dataclass(frozen=True)
class Gate(Operation):
    """Product of an image and one factor a channel."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the image's shape."""
        fits = len(inputs) == 2 and len(inputs[0]) == 3 and inputs[1] == inputs[0][:1]
        expect(fits, self, inputs, "an image and a vector of its channels")
        return inputs[0]

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the product."""
        del inputs
        return Expression("{0} * {1}[:, :, None, None]")


@final
@OPERATIONS.register("squeeze_excite")
@dataclass(frozen=True)
class SqueezeExcite(Composite):
    """Factors for the channels from their means (Hu, Shen & Sun 2018).

    Args:
        reduction: By what the channels are divided between the two linear layers; the quotient is
            rounded to a multiple of 8, as in MobileNetV3.
    """

    reduction: int = 4

    def __post_init__(self) -> None:
        """Check the divisor."""
        if self.reduction < 1:
            raise UsageError(f"a reduction is positive, got reduction={self.reduction}; 4 is usual.")

    def body(self, *inputs: Shape) -> Graph:
        """Return x * hard_sigmoid(linear(relu(linear(mean(x)))))."""
        channels, _, _ = image(self, inputs)
        b = Builder()
        x = b.input("x")
        y = b.add("reduce", Linear(divisible(channels / self.reduction)), b.add("mean", GlobalPool(), x))
        y = b.add("expand", Linear(channels), b.add("relu", Activation("relu"), y))
        return b.graph(b.add("gate", Gate(), x, b.add("sigmoid", Activation("hardsigmoid"), y)))


@final
@OPERATIONS.register("inverted_residual")
@dataclass(frozen=True)
class InvertedResidual(Composite):
    """Expansion, depthwise convolution and projection (Sandler et al. 2018, section 3.3).

    The input is added if the shape stays.

    Args:
        out: Output channels; None keeps the input's.
        kernel: Odd side of the depthwise window.
        stride: Step of the depthwise window.
        expansion: Depthwise channels by input channels; at 1 there is no expanding convolution.
        squeeze: Whether squeeze-and-excitation follows the depthwise convolution.
        function: The activation.

    Example:
        >>> InvertedResidual(24, stride=2, expansion=6).params((16, 112, 112))
        5136
    """

    out: int | None = None
    kernel: int = 3
    stride: int = 1
    expansion: int = 6
    squeeze: bool = False
    function: str = "relu6"

    def __post_init__(self) -> None:
        """Check the expansion."""
        if self.expansion < 1:
            raise UsageError(f"an expansion is at least 1, got expansion={self.expansion}; raise it.")

    def body(self, *inputs: Shape) -> Graph:
        """Return x + norm(1x1(act(norm(depthwise(act(norm(1x1(x))))))))."""
        channels, _, _ = image(self, inputs)
        b = Builder()
        x = y = b.input("x")
        if self.expansion > 1:
            y = conv_norm_act(b, "expand", Conv2d(channels * self.expansion, 1), self.function, y)
        y = conv_norm_act(b, "depthwise", Conv2d(None, self.kernel, self.stride, groups=0), self.function, y)
        if self.squeeze:
            y = b.add("squeeze", SqueezeExcite(), y)
        y = b.add("project_norm", BatchNorm(), b.add("project", Conv2d(self.out or channels, 1), y))
        if self.stride == 1 and self.out in (None, channels):
            y = b.add("sum", Add(), x, y)
        return b.graph(y)


def conv_norm_act(b: Builder, name: str, conv: Conv2d, function: str, x: Wire) -> Wire:
    """Add a convolution, its batch normalization ``<name>_norm`` and its activation ``<name>_act``.

    Args:
        b: What the three nodes are added to.
        name: Of the convolution.
        conv: The convolution.
        function: The activation's.
        x: What the convolution reads.
    """
    x = b.add(f"{name}_norm", BatchNorm(), b.add(name, conv, x))
    return b.add(f"{name}_act", Activation(function), x)


def divisible(width: float, by: int = 8) -> int:
    """Return the nearest multiple, but none that is less than nine tenths of the width.

    Example:
        >>> divisible(24 * 0.75), divisible(27), divisible(1)
        (24, 32, 8)
    """
    nearest = max(by, int(width + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * width else nearest
