"""``branch``: blocks side by side, merged by a sum or a concatenation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import OpenOperation, Operation, Pick
from nasturtium.graphs.operations import merging
from nasturtium.spaces._blocks import NetworkBlock, Shapes, build, network_block, node_name, short
from nasturtium.spaces._tree import BLOCKS, Ask, Block, Choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nasturtium.graphs import Builder, Condition, Shape, Wire
    from nasturtium.spaces._blocks import Fitting


@final
@BLOCKS.register("branch")
@dataclass(frozen=True)
class Branch(NetworkBlock):
    """Blocks that take the same value, and a merge of what they give.

    Args:
        blocks: The branches, in order.
        merge: ``"add"``, ``"concat"`` or a choice of the two.
    """

    blocks: tuple[Block, ...]
    merge: str | Choice

    @property
    def label(self) -> str:
        """The branches' labels side by side."""
        return f"branch({'|'.join(map(short, self.blocks))})"

    def decide(self, path: str, ask: Ask) -> None:
        """Ask each branch's decisions, then how they merge if that is one."""
        for i, block in enumerate(self.blocks):
            block.decide(f"{path}.{i}", ask)
        if isinstance(self.merge, Choice):
            self.merge.decide(f"{path}.merge", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the paths of each branch, then that of the merge if it is a decision."""
        for i, block in enumerate(self.blocks):
            yield from block.paths(f"{path}.{i}")
        if isinstance(self.merge, Choice):
            yield f"{path}.merge"

    def count(self) -> float:
        """Return the product over the branches and the merge."""
        return prod(block.count() for block in self.blocks) * len(merges(self.merge))

    def has_rule(self) -> bool:
        """Return whether a branch or the merge has a rule."""
        return any(block.has_rule() for block in self.blocks) or (
            isinstance(self.merge, Choice) and self.merge.has_rule()
        )

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add every branch and the merge."""
        ends = [build(block, f"{path}.{i}", b, wire, when) for i, block in enumerate(self.blocks)]
        return b.add(node_name("merge", path), merge_node(self.merge, path), *ends, when=when)

    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return what the merge gives."""
        ends = [fitting.after(block, f"{path}.{i}", (shape,)) for i, block in enumerate(self.blocks)]
        return merged_shapes(self.merge, path, ends)


def branch(*blocks: Any, merge: str | Choice = "add") -> Branch:
    """Return blocks side by side, all of the same input, merged into one output.

    A merge makes its inputs fit (``nasturtium.graphs.operations.Sum`` and ``Join``): the smallest
    height and width wins, a larger image is averaged down; in a sum the greatest width wins, and a
    narrower input goes through a 1x1 convolution.

    Args:
        blocks: ``op(...)``, choices, chains, ...; nested at will. ``op("identity")`` is a skip.
        merge: ``"add"``, ``"concat"``, or ``choice("add", "concat")``.

    Raises:
        UsageError: A branch is no block, there are less than two, or the merge is none.

    Example:
        >>> from nasturtium.spaces import choice, op
        >>> branch(op("identity"), op("conv", kernel=choice(3, 5)), merge=choice("add", "concat")).count()
        4
    """
    if len(blocks) < 2:
        raise UsageError(f"a branch has at least two blocks, got {len(blocks)}; add op('identity').")
    return Branch(tuple(network_block(block) for block in blocks), checked_merge(merge))


def checked_merge(merge: Any) -> str | Choice:
    """Return the argument if it is a merge or a choice of merges.

    Raises:
        UsageError: It is none.
    """
    for how in merges(merge):
        merging(how)
    found: str | Choice = merge
    return found


def merges(merge: Any) -> tuple[Any, ...]:
    """Return the merges that there may be."""
    return merge.values if isinstance(merge, Choice) else (merge,)


def merge_node(merge: str | Choice, path: str) -> Operation | OpenOperation:
    """Return the operation that merges, open if how it does is a decision."""
    if isinstance(merge, Choice):
        return OpenOperation(merging, (("how", Pick(f"{path}.merge")),))
    return merging(merge)


def merged_shapes(merge: str | Choice, path: str, ends: Sequence[Shapes]) -> Shapes:
    """Return the shapes of a merge, for the extremes of what arrives and for a way between them.

    Raises:
        UsageError: Shapes meet that can't be made to fit.
    """
    arriving = [sorted(shapes) for shapes in ends]
    extremes = islice(product(*((shapes[0], shapes[-1]) for shapes in arriving)), 2 ** len(arriving[:4]))
    longest = max(map(len, arriving))
    between = ([shapes[i * len(shapes) // longest] for shapes in arriving] for i in range(longest))
    combinations = {*extremes, *map(tuple, between)}
    try:
        return frozenset(merging(how).shape(*shapes) for how in merges(merge) for shapes in combinations)
    except ShapeError as error:
        raise UsageError(f"every choice must fit, got the merge at {path!r}: {error}") from error
