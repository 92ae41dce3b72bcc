"""Operations that keep the shape: normalization, activations, identity, scale, dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs._base import OPERATIONS, Expression, Layer, Operation, Shape, expect, image


def _same(operation: Operation, inputs: tuple[Shape, ...]) -> Shape:
    expect(len(inputs) == 1, operation, inputs, "one input")
    return inputs[0]


@final
@OPERATIONS.register("identity")
@dataclass(frozen=True)
class Identity(Operation):
    """Its input, unchanged."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return _same(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the input itself."""
        return Expression("{0}")


@final
@OPERATIONS.register("zero")
@dataclass(frozen=True)
class Zero(Operation):
    """Zeros of its input's shape: the operation ``none`` of cell spaces."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return _same(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return zeros."""
        return Expression("torch.zeros_like({0})")


@final
@OPERATIONS.register("batch_norm")
@dataclass(frozen=True)
class BatchNorm(Operation):
    """Batch normalization of images or features, with scale and shift.

    Example:
        >>> BatchNorm().params((8, 4, 4)), BatchNorm().symbol((8,)).source()
        (16, 'nn.BatchNorm1d(8)')
    """

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return _same(self, inputs)

    def params(self, *inputs: Shape) -> int:
        """Return two a channel."""
        return 2 * _same(self, inputs)[0]

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.BatchNorm2d`` for images, ``nn.BatchNorm1d`` for features."""
        shape = _same(self, inputs)
        return Layer("BatchNorm2d" if len(shape) == 3 else "BatchNorm1d", (shape[0],))


@final
@OPERATIONS.register("scale")
@dataclass(frozen=True)
class Scale(Operation):
    """A trainable factor a channel of an image, written as a depthwise 1x1 convolution."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return image(self, inputs)

    def params(self, *inputs: Shape) -> int:
        """Return one a channel."""
        return image(self, inputs)[0]

    def macs(self, *inputs: Shape) -> int:
        """Return one a value."""
        channels, height, width = image(self, inputs)
        return channels * height * width

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Conv2d`` with one group a channel."""
        channels, _, _ = image(self, inputs)
        return Layer("Conv2d", (channels, channels, 1), (("groups", channels), ("bias", False)))


@final
@OPERATIONS.register("activation")
@dataclass(frozen=True)
class Activation(Operation):
    """An elementwise nonlinearity.

    Args:
        function: ``"relu"``, ``"relu6"``, ``"tanh"``, ``"sigmoid"``, ``"hardsigmoid"``, ``"silu"``,
            ``"hardswish"``, ``"mish"`` or ``"gelu"``.

    Example:
        >>> Activation("relu6").symbol((8, 4, 4)).source("x")
        'functional.relu6(x)'
    """

    function: str = "relu"

    def __post_init__(self) -> None:
        """Check the function's name."""
        if self.function not in _FUNCTIONS:
            raise UsageError(f"unknown activation {self.function!r}; {near_matches(self.function, _FUNCTIONS)}")

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return _same(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the function of the input."""
        return Expression(_FUNCTIONS[self.function])


_FUNCTIONS = {
    "relu": "functional.relu({0})",
    "relu6": "functional.relu6({0})",
    "tanh": "torch.tanh({0})",
    "sigmoid": "torch.sigmoid({0})",
    "hardsigmoid": "functional.hardsigmoid({0})",
    "silu": "functional.silu({0})",
    "hardswish": "functional.hardswish({0})",
    "mish": "functional.mish({0})",
    "gelu": "functional.gelu({0})",
}


@final
@OPERATIONS.register("dropout")
@dataclass(frozen=True)
class Dropout(Operation):
    """Zeroes each value with a probability while training.

    Args:
        rate: The probability, in [0, 1).
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        """Check the rate."""
        if not 0 <= self.rate < 1:
            raise UsageError(f"a rate is in [0, 1), got rate={self.rate}; choose one between.")

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return _same(self, inputs)

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Dropout``."""
        return Layer("Dropout", (self.rate,))
