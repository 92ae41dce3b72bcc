"""The NASNet space: a normal and a reduction cell, stacked.

Zoph, Vasudevan, Shlens & Le 2018, "Learning Transferable Architectures for Scalable Image
Recognition" (arXiv 1707.07012), section 3 and figure 7.

Departures: the output of a concatenating block goes through a 1x1 convolution at once, where the
paper inserts one before whatever reads it; a 1x1 convolution with stride 2 behind a 3x3 mean
(``reduce``) stands for the factorized reduction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs import Builder, Condition, Graph, Operation, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from typing_extensions import Self


def _operation(name: str, stride: int, channels: int) -> Operation:
    """Return one of the paper's 13 operations; those that pool or pass keep the channels."""
    table: dict[str, Operation] = {
        "identity": o.Identity() if stride == 1 else o.Reduce(channels),
        "conv_1x3_3x1": o.FactorizedConv(channels, 3, stride, preactivated=True),
        "conv_1x7_7x1": o.FactorizedConv(channels, 7, stride, preactivated=True),
        "dil_conv_3": o.SepConv(channels, 3, stride, dilation=2, preactivated=True),
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


OPERATION_NAMES = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dil_conv_3",
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
"""The paper's 13 operations."""


@final
@SPACES.register("nasnet")
@dataclass(frozen=True, kw_only=True)
class NASNet(NetworkSpace):
    """Networks of two cell kinds; each block of a cell joins two earlier states (Zoph et al. 2018).

    A cell has two inputs, the outputs of the two cells before it. Block after block takes two of
    the states so far, applies an operation to each and adds or concatenates the results, which is
    a new state; the states that nothing took are concatenated. One cell of the default space has
    2.29e18 forms.

    Args:
        cells: Normal cells in each of the three stages (the paper's N).
        filters: Channels of the first stage; doubled by each of the two reduction cells.
        blocks: Blocks of a cell (the paper's B).
        operations: Names of the operations to choose from.
        combinations: ``"add"``, ``"concat"`` or both.

    Example:
        >>> space = NASNet(cells=1, filters=8, input_shape=(1, 28, 28), n_outputs=10)
        >>> f"{space.size ** 0.5:.3g}"
        '2.29e+18'
    """

    cells: int = 1
    filters: int = 8
    blocks: int = 5
    operations: tuple[str, ...] = OPERATION_NAMES
    combinations: tuple[str, ...] = ("add", "concat")

    def __post_init__(self) -> None:
        """Check counts and names."""
        if min(self.cells, self.filters, self.blocks) < 1:
            raise UsageError(f"cells, filters and blocks are at least 1, got {self}; raise them.")
        for name in self.operations:
            if name not in OPERATION_NAMES:
                raise UsageError(f"unknown nasnet operation {name!r}; {near_matches(name, OPERATION_NAMES)}")
        if not self.operations or not self.combinations or not set(self.combinations) <= {"add", "concat"}:
            raise UsageError(f"combinations are 'add' and 'concat', got {self.combinations}; name one or both.")

    @classmethod
    def small(cls) -> Self:
        """Return cells of two blocks, four channels wide."""
        return cls(filters=4, blocks=2)

    @property
    def root(self) -> Block:
        """Five decisions a block, for both cells."""
        return _tree(self.blocks, self.operations, self.combinations)

    def _open_graph(self) -> Graph:
        b = Builder()
        image = b.input("image", self.input_shape)
        before = last = b.add("stem_norm", o.BatchNorm(), b.add("stem", o.Conv2d(self.filters), image))
        channels, was_reduced = self.filters, False
        kinds = ["normal"] * self.cells + ["reduction"]
        for number, kind in enumerate((kinds * 3)[:-1]):
            channels *= 2 if kind == "reduction" else 1
            fit = o.Reduce(channels) if was_reduced else o.Conv(channels, 1, preactivated=True)
            left = b.add(f"fit_{number}_left", fit, before)
            right = b.add(f"fit_{number}_right", o.Conv(channels, 1, preactivated=True), last)
            cell = b.add(f"{kind}_{number}", self._cell(kind, channels), left, right)
            before, last, was_reduced = last, cell, kind == "reduction"
        x = b.add("pool", o.GlobalPool(), b.add("relu", o.Activation("relu"), last))
        return b.graph(b.add("head", o.Linear(self.n_outputs), x))

    def _cell(self, kind: str, channels: int) -> Graph:
        """Return the open cell; equal cells of a stack are one object."""
        return _cell(kind, channels, self.blocks, self.operations, self.combinations)


@lru_cache(maxsize=64)
def _tree(blocks: int, operations: tuple[str, ...], combinations: tuple[str, ...]) -> Group:
    def block(index: int) -> Group:
        states = choice(*range(index + 2))
        return Group(
            (
                ("left", states),
                ("right", states),
                ("left_op", choice(*operations)),
                ("right_op", choice(*operations)),
                ("combine", choice(*combinations)),
            )
        )

    cell = Group(tuple((str(i), block(i)) for i in range(blocks)))
    return Group((("normal", cell), ("reduction", cell)))


@lru_cache(maxsize=256)
def _cell(kind: str, channels: int, blocks: int, operations: tuple[str, ...], combinations: tuple[str, ...]) -> Graph:
    b = Builder()
    states = [b.input("previous"), b.input("last")]
    for i in range(blocks):
        path = f"{kind}.{i}"
        sides = [_side(b, f"{path}.{side}", states, kind, channels, operations) for side in ("left", "right")]
        added: Wire = ()
        concatenated: Wire = ()
        if "add" in combinations:
            is_sum: Condition = ((f"{path}.combine", frozenset({"add"})),)
            added = under(b.add(f"sum_{i}", o.Add(), *sides, when=is_sum), *_only(is_sum))
        if "concat" in combinations:
            is_concat: Condition = ((f"{path}.combine", frozenset({"concat"})),)
            joined = b.add(f"join_{i}", o.Concat(), *sides, when=is_concat)
            narrow = b.add(f"narrow_{i}", o.Conv(channels, 1, preactivated=True), joined, when=is_concat)
            concatenated = under(narrow, *_only(is_concat))
        states.append(alternatives(added, concatenated))
    return b.graph(b.add("output", o.Concat(), *(_if_unused(states[i + 2], i, kind, blocks) for i in range(blocks))))


def _only(condition: Condition) -> tuple[str, object]:
    (path, values), *_ = condition
    return path, next(iter(values))


def _side(b: Builder, path: str, states: list[Wire], kind: str, channels: int, operations: tuple[str, ...]) -> Wire:
    """Add one side of a block: every operation, with stride 2 where a reduction reads an input."""
    _, index, side = path.split(".")
    chosen = alternatives(*(under(state, path, i) for i, state in enumerate(states)))
    ends = []
    for name in operations:
        is_op = (f"{path}_op", frozenset({name}))
        node = f"{side}_{index}_{name}"
        if kind == "normal":
            ends.append(under(b.add(node, _operation(name, 1, channels), chosen, when=(is_op,)), f"{path}_op", name))
            continue
        outer = (path, frozenset({0, 1}))
        inner = (path, frozenset(range(2, len(states))))
        halved = b.add(f"{node}_halving", _operation(name, 2, channels), chosen, when=(is_op, outer))
        kept = b.add(node, _operation(name, 1, channels), chosen, when=(is_op, inner)) if len(states) > 2 else ()
        ends += [under(under(halved, f"{path}_op", name), path, 0, 1), _under_inner(kept, path, name, len(states))]
    return alternatives(*ends)


def _under_inner(kept: Wire, path: str, name: str, n_states: int) -> Wire:
    return under(under(kept, f"{path}_op", name), path, *range(2, n_states))


def _if_unused(state: Wire, index: int, kind: str, blocks: int) -> Wire:
    """Return the state's wire under the condition that no later block takes it."""
    for later in range(index + 1, blocks):
        others = [i for i in range(later + 2) if i != index + 2]
        for side in ("left", "right"):
            state = under(state, f"{kind}.{later}.{side}", *others)
    return state
