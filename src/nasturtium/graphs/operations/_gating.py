"""What recurrent cells are made of besides linear layers: means, gates, and the highway unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasturtium.graphs._base import OPERATIONS, Composite, Expression, Operation, Shape, expect
from nasturtium.graphs._graph import Builder, Graph
from nasturtium.graphs.operations._linear import Linear
from nasturtium.graphs.operations._merging import Concat
from nasturtium.graphs.operations._part import Part
from nasturtium.graphs.operations._pointwise import Activation, Identity


@final
@OPERATIONS.register("mean")
@dataclass(frozen=True)
class Mean(Operation):
    """Mean of inputs of one shape."""

    commutative: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        """Return the inputs' shape."""
        expect(len(inputs) >= 1 and len(set(inputs)) == 1, self, inputs, "inputs of one shape")
        return inputs[0]

    def symbol(self, *inputs: Shape) -> Expression:
        """Return the sum divided by the number of inputs."""
        return Expression(f"({' + '.join(f'{{{i}}}' for i in range(len(inputs)))}) / {len(inputs)}")


@final
@OPERATIONS.register("interpolate")
@dataclass(frozen=True)
class Interpolate(Operation):
    """The first input where the third, a gate, is 0, the second one where it is 1."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the inputs' shape."""
        expect(len(inputs) <= 3 and len(set(inputs)) == 1, self, inputs, "three inputs of one shape")
        return inputs[0]

    def symbol(self, *inputs: Shape) -> Expression:
        """Return ``torch.lerp``."""
        expect(len(inputs) == 3, self, inputs, "three inputs of one shape")
        return Expression("torch.lerp({0}, {1}, {2})")


@final
@OPERATIONS.register("highway")
@dataclass(frozen=True)
class Highway(Composite):
    """Its last input s, moved towards a candidate f(v) by a gate: ``s + sigmoid(u) * (f(v) - s)``.

    u and v are a linear function, without a constant, of all inputs.

    Args:
        function: f, the name of an activation or ``"identity"``.

    Example:
        >>> Highway("relu").shape((8,), (8,)), Highway("relu").params((8,), (8,))
        ((8,), 256)

    References:
        Zilly, Srivastava, Koutník & Schmidhuber 2017 (arXiv 1607.03474), equations 6 and 7 with coupled gates.
    """

    function: str = "tanh"

    def body(self, *inputs: Shape) -> Graph:
        """Return one linear layer for gate and candidate, and what they make of the last input."""
        alike = len(inputs) >= 1 and all(len(shape) == 1 for shape in inputs)
        expect(alike, self, inputs, "inputs (features,)")
        b = Builder()
        wires = [b.input(f"x{i}") for i in range(len(inputs))]
        joined = b.add("joined", Concat(), *wires) if len(wires) > 1 else wires[0]
        both = b.add("linear", Linear(2 * inputs[-1][0], bias=False), joined)
        gate = b.add("gate", Activation("sigmoid"), b.add("gate_part", Part(0, 2), both))
        candidate = b.add("candidate", activated(self.function), b.add("candidate_part", Part(1, 2), both))
        return b.graph(b.add("moved", Interpolate(), wires[-1], candidate, gate))


def activated(function: str) -> Operation:
    """Return the activation of a name, of which ``"identity"`` is one.

    Raises:
        UsageError: There is no such activation.
    """
    return Identity() if function == "identity" else Activation(function)
