"""``cell``: a graph of nodes, each with chosen inputs and operations, from the user's own list.

Zoph, Vasudevan, Shlens & Le 2018 (arXiv 1707.07012), section 3, with Liu, Simonyan & Yang 2019
(arXiv 1806.09055), section 2.1, for the output: all nodes, not only those that nothing reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs import alternatives, under
from nasturtium.graphs.operations import merging
from nasturtium.spaces._blocks import NetworkBlock, Shapes, build, network_block, node_name, short
from nasturtium.spaces._branch import checked_merge, merged_shapes
from nasturtium.spaces._decision import Categorical
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._tree import BLOCKS, Ask, Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs import Builder, Condition, Shape, Wire
    from nasturtium.spaces._blocks import Fitting


@final
@BLOCKS.register("cell")
@dataclass(frozen=True)
class Cell(NetworkBlock):
    """Nodes in order; each merges operations on earlier ones, and the output merges all nodes.

    State 0 is the cell's input, state ``i + 1`` what node ``i`` gives. Input ``j`` of node ``i``
    has the decisions ``i.j.from``, the state it takes, and ``i.j.op``, what is applied to it.

    Args:
        operation: The choice of operations, the same for every input.
        n_nodes: Number of nodes.
        n_inputs: Inputs of each node.
        merge: How a node merges its inputs, ``"add"`` or ``"concat"``.
        output: How the output merges the nodes.
    """

    operation: Choice
    n_nodes: int
    n_inputs: int
    merge: str
    output: str

    @property
    def label(self) -> str:
        """The number of nodes and the operations."""
        return f"cell({self.n_nodes}: {'|'.join(map(short, self.operation.values))})"

    def _places(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield each input's node and place."""
        for i in range(self.n_nodes):
            for j in range(self.n_inputs):
                yield i, f"{path}.{i}.{j}"

    def decide(self, path: str, ask: Ask) -> None:
        """Ask source and operation of each input."""
        for i, place in self._places(path):
            ask(Categorical(f"{place}.from", tuple(range(i + 1))))
            self.operation.decide(f"{place}.op", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield two paths an input, and those that the operations open."""
        for _, place in self._places(path):
            yield f"{place}.from"
            yield from self.operation.paths(f"{place}.op")

    def count(self) -> float:
        """Return the product over all inputs."""
        return prod((i + 1) * self.operation.count() for i, _ in self._places(""))

    def has_rule(self) -> bool:
        """Return whether an operation has a rule."""
        return self.operation.has_rule()

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add every operation on every input, the nodes and the output."""
        states = [wire]
        arriving: list[Wire] = []
        for i, place in self._places(path):
            source = alternatives(*(under(state, f"{place}.from", k) for k, state in enumerate(states[: i + 1])))
            arriving.append(build(self.operation, f"{place}.op", b, source, when))
            if len(arriving) == self.n_inputs:
                states.append(b.add(node_name("node", f"{path}.{i}"), merging(self.merge), *arriving, when=when))
                arriving = []
        return b.add(node_name("output", path), merging(self.output), *states[1:], when=when)

    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return what the output gives."""
        states = [frozenset({shape})]
        for i in range(self.n_nodes):
            taken: Shapes = frozenset().union(*states)
            given = fitting.after(self.operation, f"{path}.{i}.0.op", taken)
            states.append(merged_shapes(self.merge, f"{path}.{i}", [given] * self.n_inputs))
        return merged_shapes(self.output, path, states[1:])


def cell(*operations: Any, nodes: int = 4, inputs: int = 2, merge: str = "add", output: str = "concat") -> Cell:
    """Return a cell: a directed acyclic graph whose connections and operations are decisions.

    Each node takes ``inputs`` of the states before it, the cell's input or earlier nodes, applies a
    chosen operation to each and merges them; the output merges all nodes. Merges make what they
    get fit, as those of ``branch`` do.

    Args:
        operations: ``op(...)``, choices, chains, ...: what every input chooses from.
        nodes: Number of nodes.
        inputs: Inputs of each node.
        merge: How a node merges its inputs: ``"add"`` or ``"concat"``.
        output: How the output merges the nodes: ``"concat"`` or ``"add"``.

    Raises:
        UsageError: There is no operation, one is no block, a count is below one, or a merge is none.

    Example:
        >>> from nasturtium.spaces import op
        >>> cell(op("conv"), op("max_pool"), op("identity"), nodes=2).count()
        324
    """
    if nodes < 1 or inputs < 1:
        raise UsageError(f"nodes and inputs are at least 1, got {nodes} and {inputs}; raise them.")
    operation = network_block(choice(*operations))
    assert isinstance(operation, Choice)
    for how in (merge, output):
        if isinstance(checked_merge(how), Choice):
            raise UsageError("the merges of a cell are 'add' or 'concat', got a choice; use branch for that.")
    return Cell(operation, nodes, inputs, merge, output)
