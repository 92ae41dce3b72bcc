"""A user's own ``nn.Module`` as an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, final

from nasturtium._registry import tuples
from nasturtium.errors import RequirementError
from nasturtium.graphs._base import OPERATIONS, Expression, Operation, Shape


class Measured(Protocol):
    """What measuring a module on the meta device tells."""

    @property
    def shape(self) -> Shape:
        """The output's shape without the batch."""

    @property
    def params(self) -> int:
        """Trainable parameters."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one example."""


Measure = Callable[[type, tuple[tuple[str, Any], ...], tuple[Shape, ...]], Measured]

_measure: list[Measure] = []


def measure_with(measure: Measure) -> None:
    """Set who measures modules; the package's root does, since this room knows no torch."""
    _measure[:] = [measure]


@final
@OPERATIONS.register("module")
@dataclass(frozen=True)
class Foreign(Operation):
    """A user's ``nn.Module``: its shape and cost are found on torch's meta device.

    Args:
        module: The class. If its constructor takes ``in_channels``, ``in_features`` or ``in_shape``,
            it gets the input's.
        options: The other constructor arguments as (name, value) pairs; lists count as tuples.
    """

    module: type
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Freeze lists: an operation is hashable."""
        object.__setattr__(self, "options", tuple((name, tuples(value)) for name, value in self.options))

    def _measured(self, inputs: tuple[Shape, ...]) -> Measured:
        if not _measure:
            raise RequirementError(f"measuring {self.module.__name__} needs torch; import nasturtium first.")
        return _measure[0](self.module, self.options, inputs)

    def shape(self, *inputs: Shape) -> Shape:
        """Return the shape that the module's forward gives."""
        return self._measured(inputs).shape

    def params(self, *inputs: Shape) -> int:
        """Return the module's trainable parameters."""
        return self._measured(inputs).params

    def macs(self, *inputs: Shape) -> int:
        """Return what torch counts for one example."""
        return self._measured(inputs).macs

    def symbol(self, *inputs: Shape) -> Expression:
        """Raise: a user's module is built from its class, and its source is the user's."""
        raise RequirementError(f"a user's module has no symbol, got {self.module.__name__}; build its class.")
