"""The space of Miller, Todd and Hegde: which of a few units feed which, as a matrix of bits.

Miller, Todd & Hegde 1989, "Designing Neural Networks using Genetic Algorithms", Proceedings of the 3rd
International Conference on Genetic Algorithms, pages 379-384.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.graphs import Shape, Wire
    from nasturtium.spaces._architecture import Architecture


@final
@SPACES.register("miller")
@dataclass(frozen=True, kw_only=True)
class ConstraintMatrix(ClosedNetworkSpace):
    """Units in a fixed order, inputs, hidden and outputs, and a bit for whom each may listen to.

    Row i of the connection constraint matrix says which of all units, and last the bias, feed unit i.
    Entries from a unit that does not come before are ignored: networks are feedforward. So the strategy
    ``miller``, which swaps rows, swaps all that comes into one unit. Hidden units are sigmoids. The
    weights are trained and discarded.

    Departures: the rows of inputs, which the paper's feedforward reading ignores, are left out; a unit
    that nothing feeds is 0, and feeds nobody; outputs are the sums before the sigmoid, which a task's
    loss applies where it has one. All entries are absent or learnable, as in the paper's experiments.

    The text form is the rows, separated by blanks: five units of exclusive or are ``110001 110001 001101``.

    Args:
        hidden: Hidden units; with two inputs and an output the paper's five units are two.

    Example:
        >>> space = ConstraintMatrix()
        >>> space.size, space.graph(space.parse("110001 110001 001101")).params
        (262144, 9)
    """

    hidden: int = 2
    input_shape: Shape | None = (2,)
    n_outputs: int | None = 1

    def __post_init__(self) -> None:
        """Check the number of hidden units."""
        if self.hidden < 0:
            raise UsageError(f"hidden is at least 0, got {self.hidden}; raise it.")

    @property
    def root(self) -> Block:
        """The matrix's rows, by the unit that listens."""
        return _tree(self._n_inputs, len(self._rows))

    @property
    def _n_inputs(self) -> int:
        return prod(self.input_shape or ())

    @property
    def _rows(self) -> range:
        """The units that listen."""
        return range(self._n_inputs, self._n_inputs + self.hidden + (self.n_outputs or 1))

    def text(self, architecture: Architecture) -> str:
        """Return the rows; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        bits = "".join(map(str, architecture.values()))
        width = len(bits) // len(self._rows)
        return " ".join(bits[start : start + width] for start in range(0, len(bits), width))

    def _notated(self, text: str) -> Mapping[str, Any]:
        bits = "".join(text.split())
        n_units = self._rows.stop
        if len(bits) != len(self._rows) * (n_units + 1) or not set(bits) <= {"0", "1"}:
            raise UsageError(f"a matrix is {len(self._rows)} rows of {n_units + 1} bits, got {text!r}; give all bits.")
        paths = [f"unit_{i}.{name}" for i in self._rows for name in _columns(n_units)]
        return dict(zip(paths, map(int, bits), strict=True))

    def _network(self, architecture: Architecture) -> Graph:
        b = Builder()
        x = b.input("x", self.input_shape)
        n_units = self._rows.stop
        bits = {i: [architecture[f"unit_{i}.{name}"] for name in _columns(n_units)] for i in self._rows}
        heard = {j for i in self._rows for j in range(i) if bits[i][j]}
        wires: dict[int, Wire] = {i: b.add(f"x{i}", o.Component(i), x) for i in range(self._n_inputs) if i in heard}
        one = b.add("bias", o.One(), x) if any(row[n_units] for row in bits.values()) else None
        outputs: list[Wire] = []
        for i, row in bits.items():
            feeding = [wires[j] for j in range(i) if row[j] and j in wires]
            if one is not None and row[n_units]:
                feeding.append(one)
            is_output = i >= self._n_inputs + self.hidden
            if feeding:
                total = b.add(f"sum_{i}", o.Linear(1, bias=False), b.add(f"inputs_{i}", o.Concat(), *feeding))
                wires[i] = total if is_output else b.add(f"unit_{i}", o.Activation("sigmoid"), total)
            if is_output:
                outputs.append(wires[i] if feeding else b.add(f"zero_{i}", o.Zero(), b.add(f"rest_{i}", o.One(), x)))
        return b.graph(b.add("output", o.Concat(), *outputs))


def _columns(n_units: int) -> list[str]:
    return [*(f"from_{j}" for j in range(n_units)), "from_bias"]


@lru_cache(maxsize=16)
def _tree(n_inputs: int, n_rows: int) -> Group:
    n_units = n_inputs + n_rows
    row = Group(tuple((name, choice(0, 1)) for name in _columns(n_units)))
    return Group(tuple((f"unit_{i}", row) for i in range(n_inputs, n_units)))
