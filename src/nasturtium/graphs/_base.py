"""The contract of an operation: what it does to shapes, what it costs, how PyTorch writes it.

An operation is torch-free data. Its PyTorch side is a *symbol*, either a layer of ``torch.nn`` with
its arguments or an expression, and both the running module and the exported source are made from
that one symbol, so they can't differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, final

from nasturtium._registry import Registry
from nasturtium.errors import ShapeError

if TYPE_CHECKING:
    from nasturtium.graphs._graph import Graph

Shape = tuple[int, ...]
"""The shape of one example without the batch: ``(channels, height, width)`` or ``(features,)``."""

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of ``torch.nn``, as in ``nn.Conv2d(3, 8, 3, padding=1)``.

    Args:
        module: The class's name in ``torch.nn``.
        arguments: Its positional arguments.
        options: Its keyword arguments as (name, value) pairs.
    """

    module: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def source(self) -> str:
        """Return the constructor call as Python source.

        Example:
            >>> Layer("Conv2d", (3, 8, 3), (("padding", 1),)).source()
            'nn.Conv2d(3, 8, 3, padding=1)'
        """
        parts = [repr(a) for a in self.arguments] + [f"{k}={v!r}" for k, v in self.options]
        return f"nn.{self.module}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula over the operation's inputs, such as ``"torch.cat([{all}], dim=1)"``.

    Args:
        template: Python source in which ``{0}``, ``{1}``, ... stand for the inputs and ``{all}``
            for their comma-separated list. It may use ``torch`` and ``functional``
            (``torch.nn.functional``).
    """

    template: str

    def source(self, *inputs: str) -> str:
        """Return the formula with the inputs' names filled in.

        Example:
            >>> Expression("{0} + {1}").source("x", "y")
            'x + y'
        """
        return self.template.format(*inputs, all=", ".join(inputs))


Symbol = Layer | Expression


@dataclass(frozen=True)
class Operation(ABC):
    """One kind of node: a frozen dataclass whose fields are the hyper-parameters.

    ``shape``, ``params`` and ``macs`` take the shapes of the inputs in order. All methods are
    pure, and a wrong number or rank of inputs raises ``ShapeError``.

    Class attributes:
        version: Raised whenever the same hyper-parameters begin to mean another function.
        commutative: Whether the order of the inputs has no influence.
    """

    version: ClassVar[int] = 1
    commutative: ClassVar[bool] = False

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the output."""

    @abstractmethod
    def symbol(self, *inputs: Shape) -> Symbol:
        """Return how PyTorch writes the operation for inputs of these shapes."""

    def params(self, *inputs: Shape) -> int:
        """Return the number of trainable parameters."""
        del inputs
        return 0

    def macs(self, *inputs: Shape) -> int:
        """Return the multiply-accumulates for one example, as the field counts them.

        Convolutions and linear layers count; normalization, activations and pooling do not.
        """
        del inputs
        return 0

    @final
    def arguments(self) -> dict[str, Any]:
        """Return the hyper-parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True)
class Composite(Operation):
    """An operation that is a small graph of others: a separable convolution, a residual block.

    Shapes, costs, module and source all come from ``body``; a subclass writes nothing else.
    """

    @abstractmethod
    def body(self, *inputs: Shape) -> Graph:
        """Return the graph of the parts for inputs of these shapes."""

    @final
    def opened(self, *inputs: Shape) -> Graph:
        """Return the body; one object for equal operations and shapes, its inference with it."""
        return _opened(self, inputs)

    @final
    def shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the body's output."""
        return self.opened(*inputs).infer(*inputs).outputs[0]

    @final
    def params(self, *inputs: Shape) -> int:
        """Return the body's parameters."""
        return self.opened(*inputs).infer(*inputs).params

    @final
    def macs(self, *inputs: Shape) -> int:
        """Return the body's multiply-accumulates."""
        return self.opened(*inputs).infer(*inputs).flops

    @final
    def symbol(self, *inputs: Shape) -> Symbol:
        """Raise: a composite is built part by part, it has no symbol of its own."""
        raise ShapeError(f"a composite is built from its body, got {self!r}; call opened().")


@lru_cache(maxsize=4096)
def _opened(operation: Composite, inputs: tuple[Shape, ...]) -> Graph:
    body = operation.body(*inputs)
    if body.is_recurrent or len(body.outputs) != 1:
        raise ShapeError(f"a composite has one output and no memory, got {operation!r}; nest a graph instead.")
    return body


OPERATIONS: Registry[Operation] = Registry("operation", "nasturtium.operations")


def expect(rule: bool, operation: Operation, inputs: tuple[Shape, ...], wanted: str) -> None:
    """Raise ``ShapeError`` unless the rule holds.

    Raises:
        ShapeError: With the operation, the shapes it got and what it wants.
    """
    if not rule:
        name = OPERATIONS.name_of(type(operation)) or type(operation).__name__
        raise ShapeError(f"{name} needs {wanted}, got input shapes {list(inputs)}; change what comes before it.")


def image(operation: Operation, inputs: tuple[Shape, ...]) -> tuple[int, int, int]:
    """Return channels, height and width of an operation's single image input.

    Raises:
        ShapeError: There is not exactly one input of three dimensions.
    """
    expect(len(inputs) == 1 and len(inputs[0]) == 3, operation, inputs, "one input (channels, height, width)")
    channels, height, width = inputs[0]
    return channels, height, width


def images(operation: Operation, inputs: tuple[Shape, ...]) -> None:
    """Check that an operation has inputs and all are images.

    Raises:
        ShapeError: One has not three dimensions, or there is none.
    """
    fits = bool(inputs) and all(len(shape) == 3 for shape in inputs)
    expect(fits, operation, inputs, "images (channels, height, width)")


def window(size: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """Return the output side of a window with "same" padding.

    Example:
        >>> window(28, kernel=3, stride=2)
        14
    """
    padding = dilation * (kernel - 1) // 2
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
