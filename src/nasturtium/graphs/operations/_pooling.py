"""Pooling: over windows and over the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import (
    OPERATIONS,
    Expression,
    Layer,
    Operation,
    Shape,
    expect,
    image,
    window,
)


def _check(operation: MaxPool | AvgPool) -> None:
    if operation.kernel < 1 or operation.stride < 1:
        raise UsageError(f"kernel and stride are positive, got {operation}; raise them to 1 or more.")


def _pooled(operation: MaxPool | AvgPool, inputs: tuple[Shape, ...]) -> Shape:
    channels, *sides = image(operation, inputs)
    height, width = (window(side, operation.kernel, operation.stride) for side in sides)
    expect(min(height, width) >= 1, operation, inputs, "an image at least as large as its window")
    return channels, height, width


@final
@OPERATIONS.register("max_pool")
@dataclass(frozen=True)
class MaxPool(Operation):
    """Largest value of each window, "same" padding.

    Args:
        kernel: Side of the window; an odd one with stride 1 keeps the image's sides.
        stride: Step in both directions.

    Example:
        >>> MaxPool(3, 2).shape((8, 32, 32))
        (8, 16, 16)
    """

    kernel: int = 3
    stride: int = 1

    def __post_init__(self) -> None:
        """Check that both are positive."""
        _check(self)

    def shape(self, *inputs: Shape) -> Shape:
        """Return (channels, height, width) after the stride."""
        return _pooled(self, inputs)

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.MaxPool2d``."""
        image(self, inputs)
        return Layer("MaxPool2d", (self.kernel,), (("stride", self.stride), ("padding", (self.kernel - 1) // 2)))


@final
@OPERATIONS.register("avg_pool")
@dataclass(frozen=True)
class AvgPool(Operation):
    """Mean of each window's real pixels, "same" padding.

    Args:
        kernel: Side of the window; an odd one with stride 1 keeps the image's sides.
        stride: Step in both directions.

    Example:
        >>> AvgPool(3).symbol((8, 32, 32)).source()
        'nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)'
    """

    kernel: int = 3
    stride: int = 1

    def __post_init__(self) -> None:
        """Check that both are positive."""
        _check(self)

    def shape(self, *inputs: Shape) -> Shape:
        """Return (channels, height, width) after the stride."""
        return _pooled(self, inputs)

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.AvgPool2d``, padding not counted."""
        image(self, inputs)
        padding = (self.kernel - 1) // 2
        options = (("stride", self.stride), ("padding", padding), ("count_include_pad", False))
        return Layer("AvgPool2d", (self.kernel,), options)


@final
@OPERATIONS.register("adaptive_pool")
@dataclass(frozen=True)
class AdaptivePool(Operation):
    """Mean over as many equal windows as the output has positions; they overlap where need be.

    Args:
        height: Of the output.
        width: Of the output.

    Example:
        >>> AdaptivePool(2, 2).shape((8, 7, 7))
        (8, 2, 2)
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        """Check that both are positive."""
        if self.height < 1 or self.width < 1:
            raise UsageError(f"height and width are positive, got {self}; raise them to 1 or more.")

    def shape(self, *inputs: Shape) -> Shape:
        """Return (channels, height, width)."""
        return image(self, inputs)[0], self.height, self.width

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.AdaptiveAvgPool2d``."""
        image(self, inputs)
        return Layer("AdaptiveAvgPool2d", ((self.height, self.width),))


@final
@OPERATIONS.register("global_pool")
@dataclass(frozen=True)
class GlobalPool(Operation):
    """Mean over all positions of an image: one number a channel.

    Example:
        >>> GlobalPool().shape((8, 32, 32))
        (8,)
    """

    def shape(self, *inputs: Shape) -> Shape:
        """Return (channels,)."""
        return (image(self, inputs)[0],)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the mean over height and width."""
        image(self, inputs)
        return Expression("{0}.mean((2, 3))")
