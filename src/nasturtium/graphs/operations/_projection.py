"""A way around that changes nothing but the channels, and those only if it must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.graphs._base import OPERATIONS, Composite, Operation, Shape, image
from nasturtium.graphs._graph import Graph, chain_of
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._pointwise import BatchNorm, Identity


@final
@OPERATIONS.register("projection")
@dataclass(frozen=True)
class Projection(Composite):
    """The input as it is, or where the channels or the stride differ a 1x1 convolution and normalization.

    Args:
        out: Output channels; None keeps the input's.
        stride: Step in both directions.

    Example:
        >>> Projection(8).params((8, 4, 4)), Projection(8).params((6, 4, 4))
        (0, 64)
    """

    out: int | None = None
    stride: int = 1

    def body(self, *inputs: Shape) -> Graph:
        """Return x, or norm(1x1(x))."""
        channels, _, _ = image(self, inputs)
        parts: list[tuple[str, Operation]] = [("conv", Conv2d(self.out, 1, self.stride)), ("norm", BatchNorm())]
        is_same = self.out in (None, channels) and self.stride == 1
        return chain_of([("same", Identity())] if is_same else parts)
