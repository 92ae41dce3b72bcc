"""Merges of images from several depths without a weight: He et al. 2016, section 4.2, option A.

A larger image is read with a stride, fewer channels have zeros behind them. Both are linear, so a
sum of shortcuts is the shortcut of the sum: residual networks unroll exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Operation, Shape, expect, image, images
from nasturtium.graphs.operations._merging import Adapters, Add, Concat, merged

if TYPE_CHECKING:
    from nasturtium.graphs._graph import Graph


@final
@OPERATIONS.register("shortcut")
@dataclass(frozen=True)
class Shortcut(Operation):
    """Every ``stride``-th pixel of an image, with channels of zeros behind.

    Args:
        stride: Step in both directions.
        out: Output channels, at least the input's; None keeps those.
    """

    stride: int = 1
    out: int | None = None

    def __post_init__(self) -> None:
        """Check the step."""
        if self.stride < 1:
            raise UsageError(f"a stride is positive, got stride={self.stride}; raise it to 1 or more.")

    def _missing(self, inputs: tuple[Shape, ...]) -> int:
        channels, _, _ = image(self, inputs)
        out = channels if self.out is None else self.out
        expect(out >= channels, self, inputs, f"at most {out} channels")
        return out - channels

    def shape(self, *inputs: Shape) -> Shape:
        """Return the padded channels and the sides divided by the stride, rounded up."""
        channels, *sides = image(self, inputs)
        height, width = (-(-side // self.stride) for side in sides)
        return channels + self._missing(inputs), height, width

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the slice, padded if channels are missing."""
        missing = self._missing(inputs)
        read = "{0}" if self.stride == 1 else f"{{0}}[:, :, ::{self.stride}, ::{self.stride}]"
        return Expression(f"functional.pad({read}, (0, 0, 0, 0, 0, {missing}))" if missing else read)


@final
@OPERATIONS.register("shortcut_sum")
@dataclass(frozen=True)
class ShortcutSum(Composite):
    """Sum of images in the smallest height and width and the most channels among them.

    Example:
        >>> ShortcutSum().shape((8, 16, 16), (24, 8, 8)), ShortcutSum().params((8, 16, 16), (24, 8, 8))
        ((24, 8, 8), 0)
    """

    commutative: ClassVar[bool] = True

    def body(self, *inputs: Shape) -> Graph:
        """Return a shortcut for every image that needs one, and the sum."""
        return _merged(self, inputs, Add(), max((shape[0] for shape in inputs), default=0))


@final
@OPERATIONS.register("shortcut_concat")
@dataclass(frozen=True)
class ShortcutConcat(Composite):
    """Concatenation of images in the smallest height and width among them.

    Example:
        >>> ShortcutConcat().shape((8, 16, 16), (24, 8, 8))
        (32, 8, 8)
    """

    def body(self, *inputs: Shape) -> Graph:
        """Return a shortcut for every larger image, and the concatenation."""
        return _merged(self, inputs, Concat(), None)


def _merged(merge: Composite, inputs: tuple[Shape, ...], last: Operation, out: int | None) -> Graph:
    images(merge, inputs)
    sides = min(shape[1:] for shape in inputs)

    def adapters(shape: Shape) -> Adapters:
        shortcut = Shortcut(_stride(merge, inputs, shape, sides), out)
        return [("shortcut", shortcut)] if shortcut.shape(shape) != shape else []

    return merged(inputs, last, adapters)


def _stride(merge: Composite, inputs: tuple[Shape, ...], shape: Shape, sides: Shape) -> int:
    """Return the power of two by which an image shrinks to the sides."""
    stride = 1
    while stride < max(shape[1:]) and Shortcut(stride).shape(shape)[1:] != sides:
        stride *= 2
    expect(Shortcut(stride).shape(shape)[1:] == sides, merge, inputs, "sides that are halves of each other")
    return stride
