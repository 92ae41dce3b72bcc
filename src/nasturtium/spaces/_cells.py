"""What spaces of stacked cells share: the stack, the operations, the cell of pairwise blocks.

The stack and the blocks are those of Zoph, Vasudevan, Shlens & Le 2018 (arXiv 1707.07012); ENAS,
AmoebaNet and DARTS build on them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs import Builder, Condition, Graph, Operation, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._tree import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nasturtium.spaces._decision import Value
    from nasturtium.spaces._networks import NetworkSpace

Kind = Literal["normal", "reduction"]
"""The two cells of a space: one keeps height and width, one halves them and doubles the channels."""

KINDS: tuple[Kind, Kind] = ("normal", "reduction")

Gene = tuple[str, int]
"""An operation and the state that it reads, as published genotypes write them."""

OPERATION_NAMES = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dil_conv_3",
    "dil_conv_5",
    "avg_pool_3",
    "max_pool_3",
    "max_pool_5",
    "max_pool_7",
    "conv_1",
    "conv_3",
    "sep_conv_3",
    "sep_conv_5",
    "sep_conv_7",
)
"""The operations of cells."""


def cell_operation(name: str, stride: int, channels: int) -> Operation:
    """Return an operation of a cell; those that pool or pass keep the channels."""
    table: dict[str, Operation] = {
        "identity": o.Identity() if stride == 1 else o.FactorizedReduction(channels),
        "conv_1x3_3x1": o.FactorizedConv(channels, 3, stride, preactivated=True),
        "conv_1x7_7x1": o.FactorizedConv(channels, 7, stride, preactivated=True),
        "dil_conv_3": o.SepConv(channels, 3, stride, dilation=2, preactivated=True),
        "dil_conv_5": o.SepConv(channels, 5, stride, dilation=2, preactivated=True),
        "avg_pool_3": o.AvgPool(3, stride),
        "max_pool_3": o.MaxPool(3, stride),
        "max_pool_5": o.MaxPool(5, stride),
        "max_pool_7": o.MaxPool(7, stride),
        "conv_1": o.Conv(channels, 1, stride, preactivated=True),
        "conv_3": o.Conv(channels, 3, stride, preactivated=True),
        "sep_conv_3": o.SepConv(channels, 3, stride, repeats=2, preactivated=True),
        "sep_conv_5": o.SepConv(channels, 5, stride, repeats=2, preactivated=True),
        "sep_conv_7": o.SepConv(channels, 7, stride, repeats=2, preactivated=True),
    }
    return table[name]


def check_stack(cells: int, filters: int, blocks: int) -> None:
    """Raise ``UsageError`` unless there is at least one of everything."""
    if min(cells, filters, blocks) < 1:
        raise UsageError(f"cells, filters and blocks are at least 1, got {cells}, {filters} and {blocks}; raise them.")


def check_operations(names: Iterable[str], known: Sequence[str] = OPERATION_NAMES) -> None:
    """Raise ``UsageError`` unless there are operations and all are known."""
    names = tuple(names)
    if not names:
        raise UsageError(f"a cell has operations to choose from, got none; name some of {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise UsageError(f"unknown cell operation {name!r}; {near_matches(name, known)}")


# --- the stack -----------------------------------------------------------------------------------


def stack_kinds(cells: int, reductions: Iterable[int]) -> tuple[Kind, ...]:
    """Return the kind of each cell of a stack, from the positions of the reduction cells.

    Example:
        >>> stack_kinds(4, [1])
        ('normal', 'reduction', 'normal', 'normal')
    """
    positions = set(reductions)
    return tuple("reduction" if i in positions else "normal" for i in range(cells))


def stacked(b: Builder, image: Wire, kinds: Sequence[Kind], filters: int, cell: Callable[[Kind, int], Graph]) -> Wire:
    """Add a stem and cells, each of which reads the two before it, and return the last one's wire.

    The stem is a 3x3 convolution with three times the filters. The older input of the cell behind
    a reduction goes through a factorized reduction, all others through a 1x1 convolution.

    Args:
        b: Where the nodes go.
        image: The input.
        kinds: Kind of each cell.
        filters: Channels of a cell's states, doubled by each reduction.
        cell: Gives the nested graph of a kind and a number of channels.
    """
    before = last = b.add("stem_norm", o.BatchNorm(), b.add("stem", o.Conv2d(3 * filters), image))
    channels, was_reduced = filters, False
    for number, kind in enumerate(kinds):
        channels *= 2 if kind == "reduction" else 1
        fit = o.FactorizedReduction(channels) if was_reduced else o.Conv(channels, 1, preactivated=True)
        older = b.add(f"fit_{number}_left", fit, before)
        newer = b.add(f"fit_{number}_right", o.Conv(channels, 1, preactivated=True), last)
        before, last = last, b.add(f"{kind}_{number}", cell(kind, channels), older, newer)
        was_reduced = kind == "reduction"
    return last


def pairwise_network(
    space: NetworkSpace, kinds: Sequence[Kind], filters: int, cell: Callable[[Kind, int], Graph]
) -> Graph:
    """Return the open graph of stacked cells between a space's ends, ReLU behind the last cell."""
    b = Builder()
    last = stacked(b, b.input("image", space.input_shape), kinds, filters, cell)
    return classified(b, b.add("relu", o.Activation("relu"), last), space.n_outputs)


def classified(b: Builder, wire: Wire, n_outputs: int | None) -> Graph:
    """Return the graph that ends in a global mean and a linear layer."""
    return b.graph(b.add("head", o.Linear(n_outputs), b.add("pool", o.GlobalPool(), wire)))


# --- cells of pairwise blocks --------------------------------------------------------------------


@lru_cache(maxsize=64)
def pairwise_tree(blocks: int, operations: tuple[str, ...], combinations: tuple[str, ...]) -> Group:
    """Return the decisions of both cells: two states, two operations and a combination a block.

    Where there is one combination only, it is no decision.
    """

    def block(index: int) -> Group:
        states = choice(*range(index + 2))
        sides = (("left", states), ("right", states))
        ops = (("left_op", choice(*operations)), ("right_op", choice(*operations)))
        return Group((*sides, *ops, *((("combine", choice(*combinations)),) if len(combinations) > 1 else ())))

    cell = Group(tuple((str(i), block(i)) for i in range(blocks)))
    return Group(tuple((kind, cell) for kind in KINDS))


@lru_cache(maxsize=256)
def pairwise_cell(
    kind: Kind,
    channels: int,
    blocks: int,
    operations: tuple[str, ...],
    combinations: tuple[str, ...] = ("add",),
    output: tuple[int, ...] | None = None,
) -> Graph:
    """Return the open cell of pairwise blocks; equal cells of a stack are one object.

    Args:
        kind: In a reduction cell, operations on the two inputs have stride 2.
        channels: Of each state.
        blocks: Blocks of the cell.
        operations: Names of the operations to choose from.
        combinations: ``"add"``, ``"concat"`` or both.
        output: The states that are concatenated; None means those that nothing reads.
    """
    b = Builder()
    states = [b.input("previous"), b.input("last")]
    for i in range(blocks):
        path = f"{kind}.{i}"
        sides = [_side(b, f"{path}.{side}", states, kind, channels, operations) for side in ("left", "right")]
        states.append(_combined(b, i, f"{path}.combine", sides, channels, combinations))
    ends = []
    for i, state in enumerate(states):
        if output is not None and i not in output:
            continue
        unread = _unread(i, kind, blocks) if output is None else ()
        if kind == "reduction" and i < 2:
            state = b.add(f"halved_{i}", o.FactorizedReduction(channels), state, when=unread)
        ends.append(_under_all(state, unread))
    return b.graph(b.add("output", o.Concat(), *ends))


def _combined(
    b: Builder, index: int, path: str, sides: list[Wire], channels: int, combinations: tuple[str, ...]
) -> Wire:
    """Add what joins the two sides: a sum, or a concatenation back to one state's channels."""
    ends = []
    for name in combinations:
        when: Condition = ((path, frozenset({name})),) if len(combinations) > 1 else ()
        if name == "add":
            end = b.add(f"sum_{index}", o.Add(), *sides, when=when)
        else:
            joined = b.add(f"join_{index}", o.Concat(), *sides, when=when)
            end = b.add(f"narrow_{index}", o.Conv(channels, 1, preactivated=True), joined, when=when)
        ends.append(_under_all(end, when))
    return alternatives(*ends)


def _side(b: Builder, path: str, states: list[Wire], kind: Kind, channels: int, operations: tuple[str, ...]) -> Wire:
    """Add one side of a block: every operation, with stride 2 where a reduction reads an input."""
    _, index, side = path.split(".")
    chosen = alternatives(*(under(state, path, i) for i, state in enumerate(states)))
    ends = []
    for name in operations:
        is_op = (f"{path}_op", frozenset({name}))
        node = f"{side}_{index}_{name}"
        if kind == "normal":
            kept = b.add(node, cell_operation(name, 1, channels), chosen, when=(is_op,))
            ends.append(_under_all(kept, (is_op,)))
            continue
        outer = (is_op, (path, frozenset({0, 1})))
        halved = b.add(f"{node}_halving", cell_operation(name, 2, channels), chosen, when=outer)
        ends.append(_under_all(halved, outer))
        if len(states) > 2:
            inner = (is_op, (path, frozenset(range(2, len(states)))))
            kept = b.add(node, cell_operation(name, 1, channels), chosen, when=inner)
            ends.append(_under_all(kept, inner))
    return alternatives(*ends)


def _under_all(wire: Wire, condition: Condition) -> Wire:
    for path, values in condition:
        wire = under(wire, path, *values)
    return wire


def _unread(state: int, kind: Kind, blocks: int) -> Condition:
    """Return the condition that no block reads a state."""
    clauses = []
    for reader in range(max(state - 1, 0), blocks):
        others = frozenset(i for i in range(reader + 2) if i != state)
        clauses += [(f"{kind}.{reader}.{side}", others) for side in ("left", "right")]
    return tuple(clauses)


# --- published genotypes -------------------------------------------------------------------------

_PUBLISHED_NAMES = {"skip_connect": "identity", "conv_7x1_1x7": "conv_1x7_7x1"}


def operation_of(published: str) -> str:
    """Return the name here of an operation in the notation of published genotypes.

    Example:
        >>> [operation_of(name) for name in ("sep_conv_3x3", "skip_connect", "max_pool_3")]
        ['sep_conv_3', 'identity', 'max_pool_3']
    """
    return _PUBLISHED_NAMES.get(published) or re.sub(r"_(\d)x\1$", r"_\1", published)


def check_genes(genes: Sequence[Gene], n_blocks: int) -> None:
    """Raise ``UsageError`` unless a cell has two genes a block."""
    if len(genes) != 2 * n_blocks:
        raise UsageError(
            f"a cell of {n_blocks} blocks has {2 * n_blocks} (operation, state) pairs, got {len(genes)}; change them."
        )


def pairwise_decisions(
    cells: Mapping[Kind, Sequence[Gene]], blocks: int, combinations: tuple[str, ...] = ("add",)
) -> dict[str, Value]:
    """Return the decisions of cells whose blocks add, from two (operation, state) pairs a block.

    Raises:
        UsageError: The number of pairs does not fit the blocks.
    """
    found: dict[str, Value] = {}
    for kind, genes in cells.items():
        check_genes(genes, blocks)
        for i in range(blocks):
            (left_op, left), (right_op, right) = genes[2 * i : 2 * i + 2]
            block: dict[str, Value] = {"left": left, "right": right}
            block |= {"left_op": operation_of(left_op), "right_op": operation_of(right_op)}
            block |= {"combine": "add"} if len(combinations) > 1 else {}
            found |= {f"{kind}.{i}.{key}": value for key, value in block.items()}
    return found
