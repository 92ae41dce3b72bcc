"""The macro search space of ENAS: a chain of layers with optional skips from all earlier ones.

Pham, Guan, Zoph, Le & Dean 2018, "Efficient Neural Architecture Search via Parameter Sharing"
(arXiv 1802.03268), section 2.3, with the details of the authors' code: skips are summed, as while
they search. The network that they train at the end, where skips are concatenated and filters
doubled behind each reduction, is not in this space.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph, Operation, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice, skip
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Value
    from nasturtium.spaces._tree import Block

OPERATION_NAMES = ("conv_3", "sep_conv_3", "conv_5", "sep_conv_5", "avg_pool_3", "max_pool_3")
"""The paper's 6 operations, in the order of the authors' code."""


@final
@SPACES.register("enas-macro")
@dataclass(frozen=True, kw_only=True)
class EnasMacro(NetworkSpace):
    """Networks of layers in a row, each of which may add the outputs of earlier ones (Pham et al. 2018).

    Layer 3 applies the operation decided at ``3.op`` to the output of the layer before it, and adds
    that of state 1 if ``3.skip_1``; state 0 is the stem's output, state 1 that of layer 0. Behind
    the first and the second third of the layers, a factorized reduction halves every state.

    Args:
        layers: Number of layers, at least 3.
        filters: Channels of every layer.

    Example:
        >>> f"{EnasMacro().size:.1e}"
        '1.6e+29'
    """

    layers: int = 12
    filters: int = 36

    def __post_init__(self) -> None:
        """Check the counts."""
        if self.layers < 3 or self.filters < 2:
            raise UsageError(f"layers is at least 3 and filters 2, got {self.layers} and {self.filters}; raise them.")

    @classmethod
    def small(cls) -> Self:
        """Return four layers, four channels wide."""
        return cls(layers=4, filters=4)

    @property
    def root(self) -> Block:
        """An operation a layer, and whether it takes each state before its input."""
        return _tree(self.layers)

    def genotype(self, rows: Sequence[Sequence[int]]) -> Architecture:
        """Return the architecture of the authors' encoding.

        Args:
            rows: Of each layer, the operation's number, then a 0 or 1 for each state before its
                input; as many as there are layers before it.

        Raises:
            UsageError: The rows do not fit the space.

        Example:
            >>> EnasMacro(layers=3).genotype([[0], [4, 1], [5, 0, 1]]).text[:39]
            '{"0.op":"conv_3","1.op":"avg_pool_3","1'
        """
        lengths = [len(row) for row in rows]
        if lengths != list(range(1, self.layers + 1)) or not {row[0] for row in rows} <= set(range(6)):
            raise UsageError(
                f"row i is an operation (0 to 5) and i bits, for {self.layers} layers, got {rows}; mend it."
            )
        found: dict[str, Value] = {}
        for i, (operation, *bits) in enumerate(rows):
            found[f"{i}.op"] = OPERATION_NAMES[operation]
            found |= {f"{i}.skip_{j}": bool(bit) for j, bit in enumerate(bits)}
        return self._read(found)

    def _open_graph(self) -> Graph:
        third = self.layers // 3
        b = Builder()
        stem = b.add("stem", o.Conv2d(self.filters), b.input("image", self.input_shape))
        states = [b.add("stem_norm", o.BatchNorm(), stem)]
        for i in range(self.layers):
            states.append(_layer(b, i, states, self.filters))
            if i in (third - 1, 2 * third - 1):
                reduction = o.FactorizedReduction(self.filters)
                states = [b.add(f"reduction_{i}_{j}", reduction, state) for j, state in enumerate(states)]
        return classified(b, states[-1], self.n_outputs)


@lru_cache(maxsize=64)
def _tree(n_layers: int) -> Group:
    def layer(index: int) -> Group:
        skips = ((f"skip_{j}", skip(str(j - 1))) for j in range(index))
        return Group((("op", choice(*OPERATION_NAMES)), *skips))

    return Group(tuple((str(i), layer(i)) for i in range(n_layers)))


def _operation(name: str, filters: int) -> Operation:
    table: dict[str, Operation] = {
        "conv_3": o.Conv(filters, 3),
        "sep_conv_3": o.SepConv(filters, 3),
        "conv_5": o.Conv(filters, 5),
        "sep_conv_5": o.SepConv(filters, 5),
        "avg_pool_3": o.AvgPool(3),
        "max_pool_3": o.MaxPool(3),
    }
    return table[name]


def _layer(b: Builder, index: int, states: list[Wire], filters: int) -> Wire:
    """Add a layer: a 1x1 convolution and the operation, then the sum with the skips."""
    ends = []
    for name in OPERATION_NAMES:
        when = ((f"{index}.op", frozenset({name})),)
        narrow = b.add(f"layer_{index}_{name}_fit", o.Conv(filters, 1), states[-1], when=when)
        end = b.add(f"layer_{index}_{name}", _operation(name, filters), narrow, when=when)
        ends.append(under(end, f"{index}.op", name))
    if index == 0:
        return alternatives(*ends)
    skips = [under(state, f"{index}.skip_{j}", True) for j, state in enumerate(states[:-1])]
    return b.add(f"norm_{index}", o.BatchNorm(), b.add(f"sum_{index}", o.Add(), alternatives(*ends), *skips))
