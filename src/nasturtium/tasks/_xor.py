"""Exclusive or: the smallest problem that needs a hidden neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.tasks._problem import Problem, of_floats
from nasturtium.tasks._sources import TASKS, TaskSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.spaces import Architecture, Genomes

CASES = ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0))


@final
@dataclass(frozen=True, kw_only=True)
class Xor(Problem):
    """Four cases; the error is 1 - (4 - sum of absolute errors)**2 / 16.

    Solved, with error 0, as soon as all four outputs are on the right side of a half. A network that
    remembers sees the cases one after the other, each from rest.

    References:
        Stanley & Miikkulainen 2002, section 4.1.
    """

    name: ClassVar[str] = "xor"
    input_shape: ClassVar[tuple[int, ...]] = (2,)

    def score(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error."""
        circuit, bias = of_floats(space, architecture)
        distance, n_right = 0.0, 0
        for x, y, wanted in CASES:
            output = circuit.step((x, y, *bias))[0][0]
            distance += abs(output - wanted)
            n_right += (output >= 0.5) == (wanted == 1.0)
        return {"error": 0.0 if n_right == len(CASES) else 1 - (4 - distance) ** 2 / 16}


@TASKS.register("xor")
@final
@dataclass(frozen=True)
class XorSource(TaskSource):
    """Exclusive or, for networks whose weights evolve."""

    def load(self) -> Xor:
        """Return the problem."""
        return Xor()
