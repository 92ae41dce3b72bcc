"""Edits of one convolution block: a larger window, two branches in its place.

Wistuba 2018, "Deep Learning Architecture Search by Neuro-Cell-based Evolution with
Function-Preserving Mutations" (kernels), and Cai et al. 2018, "Path-Level Network Transformation
for Efficient Architecture Search" (arXiv 1806.02639), section 3.1 (branches).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.graphs._edits import EDITS, Edit, Tensors, conv_of, inserted, kept
from nasturtium.graphs._graph import Edge, Graph, Node
from nasturtium.graphs.operations import Add, Concat, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

MERGES = ("add", "concat")
"""How two branches are joined."""


@final
@EDITS.register("grow-kernel")
@dataclass(frozen=True)
class GrowKernel(Edit):
    """Give a convolution block a larger window, at first zero outside of the old one.

    Args:
        node: Name of a ``conv`` node with a square window.
        kernel: Its new odd side, larger than before.

    Example:
        >>> from nasturtium.graphs import Builder, operations as o
        >>> b = Builder()
        >>> x = b.add("conv", o.Conv(4), b.input("image", (1, 8, 8)))
        >>> graph = b.graph(b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), x)))
        >>> GrowKernel("conv", 5).apply(graph).by_name["conv"].op.kernel
        5
    """

    node: str
    kernel: int

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the larger window."""
        conv = conv_of(graph, self.node)
        if not isinstance(conv.kernel, int) or self.kernel <= conv.kernel or self.kernel % 2 == 0:
            raise UsageError(
                f"a window grows from one odd side to another, got {self.kernel} for {conv.kernel}; take a larger one."
            )
        grown = replace(conv, kernel=self.kernel)
        return Graph(tuple(replace(n, op=grown) if n.name == self.node else n for n in graph.nodes), graph.outputs)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the parent's tensors, the window with zeros around it."""
        del parent
        tensors = kept(trained, fresh)
        name = f"{self.node}.conv.weight"
        margin = (fresh[name].shape[-1] - trained[name].shape[-1]) // 2
        tensors[name] = np.pad(trained[name], ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        return tensors


@final
@EDITS.register("branch")
@dataclass(frozen=True)
class Branch(Edit):
    """Replace a convolution block by two that read the same and are joined behind.

    By ``"add"`` the second is a copy, and the sum takes a trainable share of each channel from
    either. By ``"concat"`` each has one half of the filters. Departure: the paper halves both
    copies and breaks their symmetry by noise; here random shares of a quarter to three quarters do,
    which sum to one, so that the function stays exact.

    Args:
        node: Name of a ``conv`` node that ends with ReLU.
        merge: ``"add"`` or ``"concat"``.

    Example:
        >>> from nasturtium.graphs import Builder, operations as o
        >>> b = Builder()
        >>> x = b.add("conv", o.Conv(4), b.input("image", (1, 8, 8)))
        >>> graph = b.graph(b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), x)))
        >>> [node.name for node in Branch("conv", "concat").apply(graph).nodes]
        ['image', 'conv', 'conv_concat_copy', 'conv_concat', 'pool', 'head']
    """

    node: str
    merge: str = "add"

    @property
    def name(self) -> str:
        """The join's name."""
        return f"{self.node}_{self.merge}"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the second branch and the join."""
        conv = conv_of(graph, self.node)
        assert conv.out is not None
        if self.merge not in MERGES or (self.merge == "concat" and conv.out < 2):
            raise UsageError(f"branches are joined by 'add' or, of 2 filters on, 'concat', got {self}; change it.")
        if self.name in graph.by_name:
            raise UsageError(f"an edit names new nodes, got {self.name!r} which exists; branch its copy instead.")
        copy, edges = f"{self.name}_copy", graph.by_name[self.node].edges
        if self.merge == "add":
            shares = [Node(f"{self.name}_share_{i}", Scale(), (Edge(x),)) for i, x in enumerate((self.node, copy))]
            joined = Node(self.name, Add(), tuple(Edge(share.name, i) for i, share in enumerate(shares)))
            return inserted(graph, self.node, (Node(copy, conv, edges), *shares, joined), self.name)
        narrow = replace(conv, out=conv.out - conv.out // 2)
        cut = tuple(replace(n, op=narrow) if n.name == self.node else n for n in graph.nodes)
        rest = Node(copy, replace(conv, out=conv.out // 2), edges)
        joined = Node(self.name, Concat(), (Edge(self.node), Edge(copy, 1)))
        return inserted(Graph(cut, graph.outputs), self.node, (rest, joined), self.name)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the parent's tensors, those of the block copied or cut."""
        del parent
        tensors = kept(trained, fresh)
        copy = f"{self.name}_copy"
        for local in [name.removeprefix(f"{self.node}.") for name in fresh if name.startswith(f"{self.node}.")]:
            first, whole = f"{self.node}.{local}", trained[f"{self.node}.{local}"]
            n_kept = len(fresh[first])
            tensors[first] = whole[:n_kept]
            tensors[f"{copy}.{local}"] = whole if self.merge == "add" else whole[n_kept:]
        if self.merge == "add":
            own, other = f"{self.name}_share_0.weight", f"{self.name}_share_1.weight"
            tensors[own] = 0.5 + np.clip(fresh[own], -1, 1) / 4
            tensors[other] = 1 - tensors[own]
        return tensors
