"""Merges that make their inputs fit: what blocks that a user composes are joined by.

The rule, for images ``(channels, height, width)`` and vectors ``(features,)``:

1. If one input is a vector, every image becomes one, by its mean over all positions.
2. Height and width become the smallest among the inputs: a larger image is averaged down over
   equal windows (``AdaptivePool``).
3. A sum has the width of its widest input: a narrower image goes through a 1x1 convolution and
   batch normalization, a narrower vector through a linear layer. A concatenation keeps each width.

What fits passes untouched, so a merge of equal shapes costs nothing. Inputs of other ranks must be
of one shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Composite, Operation, Shape, expect
from nasturtium.graphs.operations._conv2d import Conv2d
from nasturtium.graphs.operations._linear import Linear
from nasturtium.graphs.operations._merging import Adapters, Add, Concat, merged
from nasturtium.graphs.operations._pointwise import BatchNorm
from nasturtium.graphs.operations._pooling import AdaptivePool, GlobalPool

if TYPE_CHECKING:
    from nasturtium.graphs._graph import Graph


@final
@OPERATIONS.register("sum")
@dataclass(frozen=True)
class Sum(Composite):
    """Sum of inputs that are made to fit: the smallest height and width, the greatest width.

    Example:
        >>> Sum().shape((8, 16, 16), (24, 8, 8)), Sum().params((8, 16, 16), (24, 8, 8))
        ((24, 8, 8), 240)
    """

    commutative: ClassVar[bool] = True

    def body(self, *inputs: Shape) -> Graph:
        """Return the adapters that the shapes need, and the sum."""
        return _merged(self, inputs, Add(), width=max((shape[0] for shape in inputs if shape), default=0))


@final
@OPERATIONS.register("join")
@dataclass(frozen=True)
class Join(Composite):
    """Concatenation of inputs that are made to fit: the smallest height and width, all channels.

    Example:
        >>> Join().shape((8, 16, 16), (24, 8, 8)), Join().params((8, 16, 16), (24, 8, 8))
        ((32, 8, 8), 0)
    """

    def body(self, *inputs: Shape) -> Graph:
        """Return the adapters that the shapes need, and the concatenation."""
        return _merged(self, inputs, Concat(), width=None)


MERGES = {"add": Sum, "concat": Join}


def merging(how: str) -> Operation:
    """Return the operation that merges by ``"add"`` or by ``"concat"``.

    Raises:
        UsageError: It is neither.
    """
    if how not in MERGES:
        raise UsageError(f"a merge is 'add' or 'concat', got {how!r}; name one of them.")
    return MERGES[how]()


def _merged(merge: Composite, inputs: tuple[Shape, ...], last: Operation, width: int | None) -> Graph:
    """Return the graph of one adapter an input, where it needs one, and the last operation.

    Args:
        merge: Named in the error.
        inputs: The shapes that arrive.
        last: Takes what the adapters give.
        width: What the channels become; None leaves them.
    """
    ranks = {len(shape) for shape in inputs}
    fits = len(set(inputs)) == 1 or ranks <= {1, 3}
    expect(bool(inputs) and fits, merge, inputs, "images and vectors, or inputs of one shape")
    sides = () if ranks != {3} else tuple(min(shape[axis] for shape in inputs) for axis in (1, 2))

    def adapters(shape: Shape) -> Adapters:
        return _adapters(shape, sides, shape[0] if width is None else width, is_mixed=len(ranks) > 1)

    return merged(inputs, last, adapters)


def _adapters(shape: Shape, sides: Shape, width: int, *, is_mixed: bool) -> Adapters:
    found: list[tuple[str, Operation]] = []
    is_image = len(shape) == 3
    if is_image and is_mixed:
        found.append(("mean", GlobalPool()))
    elif is_image and shape[1:] != sides:
        found.append(("shrink", AdaptivePool(*sides)))
    if shape[0] != width:
        if is_image and not is_mixed:
            found += [("widen", Conv2d(width, 1)), ("norm", BatchNorm())]
        else:
            found.append(("widen", Linear(width)))
    return found
