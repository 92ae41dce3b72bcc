"""Plain two-dimensional convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Layer, Operation, Shape, expect, image, window


@final
@OPERATIONS.register("conv2d")
@dataclass(frozen=True)
class Conv2d(Operation):
    """Convolution with "same" padding.

    Args:
        out: Output channels; None keeps the input's.
        kernel: Odd side of the window, or (height, width).
        stride: Step in both directions.
        dilation: Spacing of the window's points.
        groups: 1 for a dense convolution, 0 for a depthwise one.
        bias: Whether a constant is added per channel.

    Example:
        >>> Conv2d(16, 3, 2, groups=4).symbol((8, 32, 32)).source()
        'nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=4, bias=False)'
    """

    out: int | None = None
    kernel: int | tuple[int, int] = 3
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    bias: bool = False

    def __post_init__(self) -> None:
        """Check that the kernel is odd and the counts are positive."""
        if any(side % 2 == 0 or side < 1 for side in self._sides):
            raise UsageError(f"a kernel's side is odd and positive, got kernel={self.kernel}; take 1, 3, 5, 7, ...")
        if min(self.stride, self.dilation) < 1 or self.groups < 0 or (self.out is not None and self.out < 1):
            raise UsageError(f"stride, dilation and out are positive, got {self}; raise them to 1 or more.")

    @property
    def _sides(self) -> tuple[int, int]:
        return (self.kernel, self.kernel) if isinstance(self.kernel, int) else self.kernel

    def _channels(self, inputs: tuple[Shape, ...]) -> tuple[int, int, int]:
        """Return input channels, output channels and groups."""
        channels, _, _ = image(self, inputs)
        out = channels if self.out is None else self.out
        groups = self.groups or channels
        expect(channels % groups == 0 and out % groups == 0, self, inputs, f"channels divisible by {groups} groups")
        return channels, out, groups

    def shape(self, *inputs: Shape) -> Shape:
        """Return (out, height, width)."""
        _, height, width = image(self, inputs)
        tall, wide = self._sides
        side = (window(height, tall, self.stride, self.dilation), window(width, wide, self.stride, self.dilation))
        expect(min(side) >= 1, self, inputs, "an image at least one pixel large")
        return (self._channels(inputs)[1], *side)

    def params(self, *inputs: Shape) -> int:
        """Return weights plus biases."""
        channels, out, groups = self._channels(inputs)
        tall, wide = self._sides
        return out * (channels // groups) * tall * wide + (out if self.bias else 0)

    def macs(self, *inputs: Shape) -> int:
        """Return the weights' count times the output positions."""
        channels, out, groups = self._channels(inputs)
        tall, wide = self._sides
        _, height, width = self.shape(*inputs)
        return out * (channels // groups) * tall * wide * height * width

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Conv2d``."""
        channels, out, groups = self._channels(inputs)
        padding = tuple(self.dilation * (side - 1) // 2 for side in self._sides)
        square = padding[0] == padding[1] and isinstance(self.kernel, int)
        options = (
            ("stride", self.stride, 1),
            ("padding", padding[0] if square else padding, 0),
            ("dilation", self.dilation, 1),
            ("groups", groups, 1),
            ("bias", self.bias, True),
        )
        kept = tuple((name, value) for name, value, default in options if value != default)
        return Layer("Conv2d", (channels, out, self.kernel), kept)
