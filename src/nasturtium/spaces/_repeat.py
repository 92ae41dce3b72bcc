"""``repeat`` and ``optional``: a block applied a number of times, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, alternatives, under
from nasturtium.spaces._blocks import NetworkBlock, Shapes, build, network_block, node_name, short
from nasturtium.spaces._decision import Interval
from nasturtium.spaces._decisions import DecisionSpace, tree_of
from nasturtium.spaces._tree import BLOCKS, Ask, Block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs import Condition, Shape, Wire
    from nasturtium.spaces._blocks import Fitting


@final
@BLOCKS.register("repeat")
@dataclass(frozen=True)
class Repeat(NetworkBlock):
    """A block applied a number of times, the decisions of each time its own or those of all.

    Args:
        block: What is repeated.
        at_least: The smallest number.
        at_most: The greatest number.
        is_tied: Whether all copies share the block's decisions (and none their weights).
    """

    block: Block
    at_least: int
    at_most: int
    is_tied: bool = False

    @property
    def label(self) -> str:
        """The block's label, marked."""
        return f"repeat({short(self.block)})"

    def decide(self, path: str, ask: Ask) -> None:
        """Ask how often, then the decisions of each copy, or once those of all."""
        n = ask(Interval(f"{path}.n", self.at_least, self.at_most, is_log=False, is_integer=True))
        assert isinstance(n, int)
        for i in range(min(n, 1) if self.is_tied else n):
            self.block.decide(f"{path}.{i}", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the number's path, then those of as many copies as there may be."""
        yield f"{path}.n"
        for i in range(1 if self.is_tied else self.at_most):
            yield from self.block.paths(f"{path}.{i}")

    def count(self) -> float:
        """Return the sum over the numbers."""
        ways = self.block.count()
        return sum(ways ** (min(n, 1) if self.is_tied else n) for n in range(self.at_least, self.at_most + 1))

    def has_rule(self) -> bool:
        """Return whether the block has a rule."""
        return self.block.has_rule()

    def checked(self) -> Repeat:
        """Return the block, known to repeat a piece of a network."""
        return replace(self, block=network_block(self.block))

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add every copy, each present if the number is large enough; tied ones as one nested graph."""
        shared = None
        if self.is_tied:
            inner = Builder()
            shared = inner.graph(build(self.block, f"{path}.0", inner, inner.input("x"), ()))
        ends = [wire]
        for i in range(self.at_most):
            is_there = (*when, (f"{path}.n", frozenset(range(i + 1, self.at_most + 1))))
            if shared is None:
                ends.append(build(self.block, f"{path}.{i}", b, ends[-1], is_there))
            else:
                ends.append(b.add(node_name("block", f"{path}.{i}"), shared, ends[-1], when=is_there))
        numbers = range(self.at_least, self.at_most + 1)
        return alternatives(*(under(ends[n], f"{path}.n", n) for n in numbers))

    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return what every number of copies gives."""
        ends = [frozenset({shape})]
        for i in range(self.at_most):
            ends.append(fitting.after(self.block, f"{path}.{i}", ends[-1]))
            if ends[-1] == ends[-2]:
                break
        return frozenset().union(*ends[min(self.at_least, len(ends) - 1) :])


def repeat(block: Any, *, at_least: int = 0, at_most: int, tied: bool = False) -> Repeat:
    """Return a block that is applied ``at_least`` to ``at_most`` times in a row.

    Args:
        block: ``op(...)``, a choice, a chain, ...
        at_least: The smallest number of copies.
        at_most: The greatest number of copies.
        tied: Whether all copies look the same, as the cells of a stack do. Their weights are their
            own all the same.

    Raises:
        UsageError: The bounds are negative or in the wrong order, or the block is none.

    Example:
        >>> from nasturtium.spaces import choice, op
        >>> layer = choice(op("conv"), op("sep_conv"))
        >>> repeat(layer, at_least=2, at_most=2).count(), repeat(layer, at_least=2, at_most=2, tied=True).count()
        (4, 2)
    """
    if not 0 <= at_least <= at_most or at_most < 1:
        raise UsageError(f"0 <= at_least <= at_most and at_most >= 1, got {at_least} and {at_most}; swap them.")
    if isinstance(block, DecisionSpace):
        block = tree_of(block)
    if not isinstance(block, Block):
        raise UsageError(f"what is repeated is a block, got {block!r}; wrap it in op(...).")
    return Repeat(block, at_least, at_most, tied)


def optional(block: Any) -> Repeat:
    """Return the block or nothing: one decision, ``n``, that is 0 or 1.

    Raises:
        UsageError: The argument is no block.

    Example:
        >>> from nasturtium.spaces import choice, op
        >>> optional(op("dropout", rate=choice(0.1, 0.3))).count()
        3
    """
    return repeat(block, at_most=1)
