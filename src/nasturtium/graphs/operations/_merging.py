"""Operations with several inputs: sum, product and concatenation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.graphs._base import OPERATIONS, Expression, Operation, Shape, expect
from nasturtium.graphs._graph import Builder, Graph

if TYPE_CHECKING:
    from collections.abc import Callable

Adapters = Iterable[tuple[str, Operation]]
"""What an input passes before it is merged: named operations, one after the other."""


def _equal(operation: Operation, inputs: tuple[Shape, ...]) -> Shape:
    expect(len(inputs) >= 1 and len(set(inputs)) == 1, operation, inputs, "inputs of one shape")
    return inputs[0]


@final
@OPERATIONS.register("add")
@dataclass(frozen=True)
class Add(Operation):
    """Sum of inputs of one shape.

    Example:
        >>> Add().shape((8, 4, 4), (8, 4, 4))
        (8, 4, 4)
    """

    commutative: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        """Return the inputs' shape."""
        return _equal(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the sum."""
        return Expression(" + ".join(f"{{{i}}}" for i in range(len(inputs))))


@final
@OPERATIONS.register("multiply")
@dataclass(frozen=True)
class Multiply(Operation):
    """Elementwise product of inputs of one shape."""

    commutative: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        """Return the inputs' shape."""
        return _equal(self, inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the product."""
        return Expression(" * ".join(f"{{{i}}}" for i in range(len(inputs))))


@final
@OPERATIONS.register("concat")
@dataclass(frozen=True)
class Concat(Operation):
    """Concatenation along the channels; height and width must agree.

    Example:
        >>> Concat().shape((8, 4, 4), (3, 4, 4))
        (11, 4, 4)
    """

    def shape(self, *inputs: Shape) -> Shape:
        """Return the summed channels and the common height and width."""
        expect(len(inputs) >= 1 and len({s[1:] for s in inputs}) == 1, self, inputs, "equal height and width")
        return (sum(s[0] for s in inputs), *inputs[0][1:])

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the concatenation, or the single input itself."""
        return Expression("{0}" if len(inputs) == 1 else "torch.cat([{all}], dim=1)")


def merged(inputs: tuple[Shape, ...], last: Operation, adapters: Callable[[Shape], Adapters]) -> Graph:
    """Return the graph that makes its inputs fit and merges them.

    Args:
        inputs: The shapes that arrive.
        last: Takes what the adapters give.
        adapters: What an input of a shape passes; nothing where it fits.
    """
    b = Builder()
    wires = [b.input(f"x{i}") for i in range(len(inputs))]
    for i, shape in enumerate(inputs):
        for name, adapter in adapters(shape):
            wires[i] = b.add(f"{name}_{i}", adapter, wires[i])
    return b.graph(b.add("merge", last, *wires))
