"""A skip by concatenation: what reads a block reads an earlier one besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs._edits import EDITS, PASSING, Edit, Tensors, extended, inserted, readers
from nasturtium.graphs._graph import Edge, Graph, Node
from nasturtium.graphs.operations import Add, Concat, Conv, Linear, Multiply

if TYPE_CHECKING:
    from numpy.typing import NDArray


@final
@EDITS.register("skip-concat")
@dataclass(frozen=True)
class SkipConcat(Edit):
    """Concatenate an earlier block's output to a later one's, at first ignored by what reads it.

    Type II of Elsken et al. 2017: consumers have zero weights for the new channels.

    Args:
        source: Name of the earlier node.
        target: Name of the later node, of equal height and width.
    """

    source: str
    target: str

    @property
    def name(self) -> str:
        """The concatenation's name."""
        return f"{self.target}_with_{self.source}"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the source's channels behind the target's."""
        order = [node.name for node in graph.nodes]
        fits = self.source in order and self.target in order and order.index(self.source) < order.index(self.target)
        if not fits or self.name in graph.by_name:
            raise UsageError(f"a skip leads from an earlier node to a later one, once, got {self}; choose others.")
        if graph.shapes[self.source][1:] != graph.shapes[self.target][1:]:
            raise UsageError(f"a skip joins equal sides, got {self.source!r} and {self.target!r}; choose others.")
        if not takes_more_channels(graph, self.target):
            raise UsageError(f"channels are added before conv blocks and linear layers, got {self}; choose another.")
        joined = Node(self.name, Concat(), (Edge(self.target), Edge(self.source, 1)))
        return inserted(graph, self.target, (joined,), self.name)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the parent's tensors, zeros where consumers read the new channels."""
        return extended(trained, fresh, readers(parent, _downstream(parent, self.target)))


def takes_more_channels(graph: Graph, name: str) -> bool:
    """Whether only conv blocks that declare their channels and linear layers read a node's channels."""
    group = _downstream(graph, name)
    ends = [graph.by_name[reader].op for reader in readers(graph, group)]
    meets = any(isinstance(graph.by_name[member].op, (Add, Multiply)) for member in group - {name})
    is_read = all(isinstance(op, Linear) or (isinstance(op, Conv) and op.out) for op in ends)
    return is_read and not meets and not group & set(graph.outputs)


def _downstream(graph: Graph, name: str) -> set[str]:
    """Return a node and those behind it that hand its channels on."""
    group = {name}
    for node in graph.nodes:
        if isinstance(node.op, PASSING) and any(edge.source in group for edge in node.edges):
            group.add(node.name)
    return group
