"""Fully connected layer and flattening."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import final

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Layer, Operation, Shape, expect


@final
@OPERATIONS.register("linear")
@dataclass(frozen=True)
class Linear(Operation):
    """Matrix product of a feature vector.

    Args:
        out: Output features; None takes as many as the task has outputs (set by ``space.on``).
        bias: Whether a constant is added per feature.

    Example:
        >>> Linear(10).params((64,)), Linear(10).macs((64,))
        (650, 640)
    """

    out: int | None = None
    bias: bool = True

    def __post_init__(self) -> None:
        """Check the number of features."""
        if self.out is not None and self.out < 1:
            raise UsageError(f"a linear layer has at least one output, got out={self.out}; raise it.")

    def _features(self, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        expect(len(inputs) == 1 and len(inputs[0]) == 1, self, inputs, "one input (features,)")
        return inputs[0][0], self.shape(*inputs)[0]

    def shape(self, *inputs: Shape) -> Shape:
        """Return (out,); known even before the input of a delayed edge is."""
        expect(all(len(shape) == 1 for shape in inputs), self, inputs, "an input (features,)")
        expect(self.out is not None, self, inputs, "out=, or a space bound to a task with .on(task)")
        assert self.out is not None
        return (self.out,)

    def params(self, *inputs: Shape) -> int:
        """Return weights plus biases."""
        features, out = self._features(inputs)
        return features * out + (out if self.bias else 0)

    def macs(self, *inputs: Shape) -> int:
        """Return the weights' count."""
        features, out = self._features(inputs)
        return features * out

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Linear``."""
        features, out = self._features(inputs)
        return Layer("Linear", (features, out), () if self.bias else (("bias", False),))


@final
@OPERATIONS.register("flatten")
@dataclass(frozen=True)
class Flatten(Operation):
    """All values of the input in one vector."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return (features,)."""
        expect(len(inputs) == 1, self, inputs, "one input")
        return (prod(inputs[0]),)

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.Flatten``."""
        return Layer("Flatten")
