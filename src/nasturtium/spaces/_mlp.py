"""Multilayer perceptrons for tables: depth, widths, activations, normalization, residual sums, dropout.

Gorishniy, Rubachev, Khrulkov & Babenko 2021, "Revisiting Deep Learning Models for Tabular Data"
(arXiv 2106.11959), sections 3.1 and 3.2: an MLP of blocks Dropout(ReLU(Linear(x))), and a residual
network of blocks with batch normalization. Here every block decides for itself which of the parts
it has, so that both kinds and mixtures are in one space; a residual block has one linear layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Condition, Graph, OpenOperation, Pick, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._repeat import repeat
from nasturtium.spaces._tree import Group

if TYPE_CHECKING:
    from nasturtium.spaces._tree import Block


@final
@SPACES.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(NetworkSpace):
    """Fully connected networks, for tables and other vectors (Gorishniy et al. 2021).

    A block is a linear layer of a chosen width, perhaps batch normalization, an activation, perhaps
    dropout; perhaps its input is added to what it gives, through a linear layer where the width
    differs. A network of no block is a linear model. Images are flattened.

    Args:
        depth: Greatest number of blocks.
        widths: Numbers of features to choose from.
        activations: Functions to choose from, see the operation ``activation``.
        rates: Of dropout, to choose from besides none.

    Example:
        >>> f"{MLP().size:.2g}"
        '3.3e+09'
    """

    depth: int = 4
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    activations: tuple[str, ...] = ("relu", "silu", "tanh")
    rates: tuple[float, ...] = (0.1, 0.3, 0.5)

    def __post_init__(self) -> None:
        """Check the arguments."""
        if min(self.depth, *self.widths, 1) < 1 or not (self.widths and self.activations and self.rates):
            got = arguments_of(self, "depth", "widths", "activations", "rates")
            raise UsageError(
                f"depth and widths are at least 1 and widths, activations and rates not empty, got {got}; mend it."
            )

    @property
    def root(self) -> Block:
        """How many blocks, and the decisions of each."""
        return _tree(self.depth, self.widths, self.activations, self.rates)

    def _open_graph(self) -> Graph:
        b = Builder()
        ends = [b.add("flat", o.Flatten(), b.input("features", self.input_shape))]
        numbers = range(self.depth + 1)
        for i in range(self.depth):
            is_there: Condition = (("blocks.n", frozenset(numbers[i + 1 :])),)
            ends.append(self._block(b, i, ends[-1], is_there))
        wire = alternatives(*(under(end, "blocks.n", n) for n, end in enumerate(ends)))
        return b.graph(b.add("head", o.Linear(self.n_outputs), wire))

    def _block(self, b: Builder, index: int, wire: Wire, when: Condition) -> Wire:
        """Add one block, its parts open."""
        path = f"blocks.{index}"

        def at(part: str, *values: object) -> Condition:
            return (*when, (f"{path}.{part}", frozenset(values)))  # type: ignore[arg-type]

        linear = OpenOperation(o.Linear, (("out", Pick(f"{path}.width")),))
        x = b.add(f"linear_{index}", linear, wire, when=when)
        norm = b.add(f"norm_{index}", o.BatchNorm(), x, when=at("norm", True))
        x = alternatives(under(x, f"{path}.norm", False), under(norm, f"{path}.norm", True))
        function = OpenOperation(o.Activation, (("function", Pick(f"{path}.activation")),))
        x = b.add(f"activation_{index}", function, x, when=when)
        dropping = OpenOperation(o.Dropout, (("rate", Pick(f"{path}.dropout")),))
        dropped = b.add(f"dropout_{index}", dropping, x, when=at("dropout", *self.rates))
        kept = [under(dropped, f"{path}.dropout", rate) for rate in self.rates]
        x = alternatives(under(x, f"{path}.dropout", 0.0), *kept)
        added = b.add(f"sum_{index}", o.Sum(), wire, x, when=at("residual", True))
        return alternatives(under(x, f"{path}.residual", False), under(added, f"{path}.residual", True))


@lru_cache(maxsize=64)
def _tree(depth: int, widths: tuple[int, ...], activations: tuple[str, ...], rates: tuple[float, ...]) -> Group:
    block = Group(
        (
            ("width", choice(*widths)),
            ("norm", choice(False, True)),
            ("activation", choice(*activations)),
            ("dropout", choice(0.0, *rates)),
            ("residual", choice(False, True)),
        )
    )
    return Group((("blocks", repeat(block, at_least=0, at_most=depth)),))
