"""Single neurons, whose weights stand on their edges and belong to the architecture."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs._base import OPERATIONS, Expression, Operation, Shape, expect

if TYPE_CHECKING:
    from collections.abc import Callable


class Function(NamedTuple):
    """What a neuron makes of the sum that reaches it.

    Args:
        template: PyTorch's formula.
        of: Takes ``math`` or ``numpy`` and returns the same function of a float or of an array.
    """

    template: str
    of: Callable[[Any], Callable[[Any], Any]]


def _sigmoid(slope: float) -> Function:
    # Said by tanh, which does not overflow however large the sum is.
    def of(m: Any) -> Callable[[Any], Any]:
        tanh, half = m.tanh, 0.5 * slope
        return lambda z: 0.5 + 0.5 * tanh(half * z)

    return Function(f"torch.sigmoid({slope:g} * ({{0}}))", of)


def _gaussian(m: Any) -> Callable[[Any], Any]:
    exp = m.exp
    return lambda z: exp(-(z * z))


FUNCTIONS: dict[str, Function] = {
    "steep-sigmoid": _sigmoid(4.9),
    "sigmoid": _sigmoid(1.0),
    "tanh": Function("torch.tanh({0})", lambda m: m.tanh),
    "gaussian": Function("torch.exp(-({0}) ** 2)", _gaussian),
    "sine": Function("torch.sin({0})", lambda m: m.sin),
    "absolute": Function("torch.abs({0})", lambda m: m.fabs),
    "linear": Function("({0})", lambda m: lambda z: z),
}
"""The functions of neurons; ``steep-sigmoid`` is NEAT's, 1 / (1 + exp(-4.9 z))."""


@final
@OPERATIONS.register("neuron")
@dataclass(frozen=True)
class Neuron(Operation):
    """A function of the sum of scalars; the weights are those of the edges.

    The edges' weights evolve with the architecture and are constants to PyTorch, yet they are what
    the network has learned, so they count as parameters and as multiply-accumulates.

    Args:
        function: A name in ``FUNCTIONS``.
    """

    function: str = "steep-sigmoid"

    commutative: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the function's name."""
        if self.function not in FUNCTIONS:
            raise UsageError(f"unknown function {self.function!r}; {near_matches(self.function, FUNCTIONS)}")

    def shape(self, *inputs: Shape) -> Shape:
        """Return (1,); known even before the input of a delayed edge is."""
        expect(all(shape == (1,) for shape in inputs), self, inputs, "inputs (1,)")
        return (1,)

    def params(self, *inputs: Shape) -> int:
        """Return one an edge."""
        return len(inputs)

    def macs(self, *inputs: Shape) -> int:
        """Return one an edge."""
        return len(inputs)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the function of the sum."""
        expect(len(inputs) > 0, self, inputs, "an input")
        return Expression(FUNCTIONS[self.function].template.format(" + ".join(f"{{{i}}}" for i in range(len(inputs)))))


@final
@OPERATIONS.register("component")
@dataclass(frozen=True)
class Component(Operation):
    """One number of an example, whatever its shape.

    Args:
        index: Its place, in the order of the last dimension first.
    """

    index: int = 0

    def shape(self, *inputs: Shape) -> Shape:
        """Return (1,)."""
        expect(len(inputs) == 1 and 0 <= self.index < prod(inputs[0]), self, inputs, f"more than {self.index} numbers")
        return (1,)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return a slice of the flattened example."""
        self.shape(*inputs)
        return Expression(f"{{0}}.flatten(1)[:, {self.index}:{self.index + 1}]")


@final
@OPERATIONS.register("one")
@dataclass(frozen=True)
class One(Operation):
    """The number 1, whatever the example: the input of biases."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return (1,)."""
        expect(len(inputs) == 1, self, inputs, "one input")
        return (1,)

    def symbol(self, *inputs: Shape) -> Expression:
        """Return ones, one an example."""
        self.shape(*inputs)
        return Expression("torch.ones_like({0}.flatten(1)[:, :1])")
