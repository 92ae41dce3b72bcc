"""Edits: what turns one graph into a slightly larger one, names and trained weights kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import erf, pi
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasturtium._registry import Registry
from nasturtium.errors import UsageError
from nasturtium.graphs._graph import Edge, Graph, Node
from nasturtium.graphs.operations import (
    Activation,
    Add,
    AvgPool,
    BatchNorm,
    Conv,
    Dropout,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    Multiply,
    Scale,
)

Tensors = Mapping[str, NDArray[Any]]
"""Tensors by identity: the node's name, a dot, and the tensor's local name."""


@dataclass(frozen=True)
class Edit(ABC):
    """One change of a graph, stored as JSON; nodes it does not touch keep their names.

    New nodes are named after the edit's content, never after the order of edits.
    """

    @abstractmethod
    def apply(self, graph: Graph) -> Graph:
        """Return the edited graph.

        Raises:
            UsageError: The edit does not fit this graph.
        """

    @abstractmethod
    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the child's tensors, made from the parent's trained ones.

        Args:
            parent: The graph before the edit.
            trained: The parent's tensors, statistics of normalization included.
            fresh: The child's tensors as initialized.

        Returns:
            A tensor for every name of ``fresh``. The edits of this room preserve the function in
            evaluation mode.
        """


EDITS: Registry[Edit] = Registry("edit", "nasturtium.edits")


def kept(trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
    """Return the fresh tensors, each replaced by the trained one of its name and shape."""
    return {
        name: trained[name] if name in trained and trained[name].shape == tensor.shape else tensor
        for name, tensor in fresh.items()
    }


def extended(trained: Tensors, fresh: Tensors, consumers: set[str]) -> dict[str, NDArray[Any]]:
    """Return the fresh tensors with the trained ones in their leading part.

    Args:
        trained: The parent's tensors.
        fresh: The child's, of which some have more channels behind the old ones.
        consumers: Names of the nodes that ignore the new channels: their weights for them are zero.
    """
    tensors = {}
    for name, tensor in fresh.items():
        old = trained.get(name)
        if old is None or old.shape == tensor.shape:
            tensors[name] = tensor if old is None else old
            continue
        grown = np.array(tensor)
        if name.split(".")[0] in consumers and grown.ndim > 1:
            grown[:, old.shape[1] :] = 0
        grown[tuple(slice(n) for n in old.shape)] = old
        tensors[name] = grown
    return tensors


@final
@EDITS.register("deepen")
@dataclass(frozen=True)
class Deepen(Edit):
    """Insert a convolution block behind another, at first the identity.

    Net2DeeperNet (Chen et al. 2016): the window is a delta. It is exact since the block before
    ends with ReLU. Departure: the statistics of the new normalization are the mean and variance
    that the ReLU of a normal variable has, and scale and shift undo them, so that the first
    training steps see nearly the old values too, without a pass over data.

    Args:
        after: Name of a ``conv`` node that ends with ReLU.
        kernel: Odd side of the new window.

    Example:
        >>> from nasturtium.graphs import Builder, operations as o
        >>> b = Builder()
        >>> x = b.add("conv", o.Conv(4), b.input("image", (1, 8, 8)))
        >>> graph = b.graph(b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), x)))
        >>> [node.name for node in Deepen("conv").apply(graph).nodes]
        ['image', 'conv', 'conv_k3', 'pool', 'head']
    """

    after: str
    kernel: int = 3

    @property
    def name(self) -> str:
        """The new node's name."""
        return f"{self.after}_k{self.kernel}"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the new block between ``after`` and its consumers."""
        conv = conv_of(graph, self.after)
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise UsageError(f"a window's side is odd, got kernel={self.kernel}; take 1, 3, 5, 7, ...")
        if self.name in graph.by_name:
            raise UsageError(f"an edit names new nodes, got {self.name!r} which exists; insert behind it instead.")
        block = Node(self.name, Conv(out=conv.out, kernel=self.kernel), (Edge(self.after),))
        return inserted(graph, self.after, (block,), self.name)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the parent's tensors and an identity block."""
        del parent
        tensors = kept(trained, fresh)
        weight = np.zeros_like(fresh[f"{self.name}.conv.weight"])
        centre = self.kernel // 2
        weight[np.arange(len(weight)), np.arange(len(weight)), centre, centre] = 1
        mean, variance = _rectified(trained[f"{self.after}.norm.weight"], trained[f"{self.after}.norm.bias"])
        tensors[f"{self.name}.conv.weight"] = weight
        tensors[f"{self.name}.norm.running_mean"] = mean
        tensors[f"{self.name}.norm.running_var"] = variance
        tensors[f"{self.name}.norm.weight"] = np.sqrt(variance + 1e-5).astype(mean.dtype)
        tensors[f"{self.name}.norm.bias"] = mean
        return tensors


@final
@EDITS.register("widen")
@dataclass(frozen=True)
class Widen(Edit):
    """Give a convolution block more channels, at first ignored by what reads them.

    Type II of Elsken et al. 2019: new filters are fresh, and every consumer has zero weights for
    them. All blocks that meet in a sum are widened together.

    Args:
        node: Name of a ``conv`` node.
        out: Its new number of channels, larger than before.

    Example:
        >>> from nasturtium.graphs import Builder, operations as o
        >>> b = Builder()
        >>> x = b.add("conv", o.Conv(4), b.input("image", (1, 8, 8)))
        >>> graph = b.graph(b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), x)))
        >>> graph.shapes["pool"], Widen("conv", 6).apply(graph).shapes["pool"]
        ((4,), (6,))
    """

    node: str
    out: int

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the whole channel group widened."""
        conv = conv_of(graph, self.node)
        if conv.out is None or self.out <= conv.out:
            raise UsageError(f"widening needs more than {conv.out} channels, got out={self.out}; raise it.")
        members = channel_group(graph, self.node)
        if not is_widenable(graph, members):
            raise UsageError(
                f"channels are widened between conv blocks and linear layers, got {self.node!r}, "
                f"which shares them with {sorted(members - {self.node})}; choose another."
            )
        nodes = []
        for node in graph.nodes:
            if node.name in members and isinstance(node.op, Conv):
                node = replace(node, op=replace(node.op, out=self.out))
            nodes.append(node)
        return Graph(tuple(nodes), graph.outputs)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the old values in the leading part, zeros where consumers read new channels."""
        return extended(trained, fresh, readers(parent, channel_group(parent, self.node)))


@final
@EDITS.register("skip")
@dataclass(frozen=True)
class Skip(Edit):
    """Add an earlier block's output to a later one's, at first times zero.

    Type IV of Elsken et al. 2019 with one trainable factor a channel on the skipped value.

    Args:
        source: Name of the earlier node.
        target: Name of the later node, of equal shape.
    """

    source: str
    target: str

    @property
    def name(self) -> str:
        """The sum's name."""
        return f"{self.target}_plus_{self.source}"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with the scaled source added to the target."""
        order = [node.name for node in graph.nodes]
        fits = self.source in order and self.target in order and order.index(self.source) < order.index(self.target)
        if not fits or self.name in graph.by_name:
            raise UsageError(f"a skip leads from an earlier node to a later one, once, got {self}; choose others.")
        if graph.shapes[self.source] != graph.shapes[self.target]:
            raise UsageError(f"a skip joins equal shapes, got {self.source!r} and {self.target!r}; choose others.")
        scale = Node(f"{self.name}_scale", Scale(), (Edge(self.source),))
        total = Node(self.name, Add(), (Edge(self.target), Edge(scale.name, slot=1)))
        return inserted(graph, self.target, (scale, total), self.name)

    def transfer(self, parent: Graph, trained: Tensors, fresh: Tensors) -> dict[str, NDArray[Any]]:
        """Return the parent's tensors and a zero factor."""
        del parent
        tensors = kept(trained, fresh)
        factor = f"{self.name}_scale.weight"
        tensors[factor] = np.zeros_like(fresh[factor])
        return tensors


def conv_of(graph: Graph, name: str) -> Conv:
    """Return a convolution block that ends with ReLU and declares its channels.

    Raises:
        UsageError: The node is another one, or there is none of that name.
    """
    node = graph.by_name.get(name)
    if node is None or not isinstance(node.op, Conv) or node.op.preactivated or node.op.out is None:
        raise UsageError(f"this edit needs a conv node with out= that ends with ReLU, got {name!r}; choose another.")
    return node.op


def inserted(graph: Graph, after: str, new: tuple[Node, ...], result: str) -> Graph:
    """Return the graph with nodes behind ``after``, whose consumers then read ``result``."""
    nodes: list[Node] = []
    for node in graph.nodes:
        edges = tuple(replace(e, source=result) if e.source == after else e for e in node.edges)
        nodes.append(replace(node, edges=edges))
        if node.name == after:
            nodes.extend(new)
    return Graph(tuple(nodes), tuple(result if name == after else name for name in graph.outputs))


PASSING = (Activation, BatchNorm, MaxPool, AvgPool, Identity, Scale, Dropout, GlobalPool, Add, Multiply)
"""Operations whose n-th output channel depends on the n-th input channels alone."""


def channel_group(graph: Graph, name: str) -> set[str]:
    """Return the nodes whose output has the same channels as that of ``name``."""
    group = {name}
    grew = True
    while grew:
        size = len(group)
        for node in graph.nodes:
            if isinstance(node.op, PASSING):
                linked = {node.name, *(e.source for e in node.edges)}
                if linked & group:
                    group |= linked
        grew = len(group) > size
    return group


def is_widenable(graph: Graph, group: set[str]) -> bool:
    """Whether conv blocks make a group's channels and conv blocks and linear layers read them.

    A conv block without ``out=`` would hand new channels on, so what it reads can't be widened.
    """
    makers = all(isinstance(graph.by_name[name].op, (Conv, *PASSING)) for name in group)
    ends = [graph.by_name[name].op for name in readers(graph, group)]
    is_read = all(isinstance(op, Linear) or (isinstance(op, Conv) and op.out) for op in ends)
    return makers and is_read and not group & set(graph.outputs)


def readers(graph: Graph, group: set[str]) -> set[str]:
    """Return the nodes outside a channel group that read it, and conv blocks inside that do."""
    return {
        node.name
        for node in graph.nodes
        if not isinstance(node.op, PASSING) and any(edge.source in group for edge in node.edges)
    }


def _rectified(scale: NDArray[Any], shift: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and variance of max(0, N(shift, scale^2)), elementwise."""
    sd = np.maximum(np.abs(scale.astype(np.float64)), 1e-6)
    ratio = shift.astype(np.float64) / sd
    below = np.array([0.5 * (1 + erf(r / 2**0.5)) for r in ratio])
    density = np.exp(-(ratio**2) / 2) / (2 * pi) ** 0.5
    mean = shift * below + sd * density
    variance = (shift**2 + sd**2) * below + shift * sd * density - mean**2
    return mean.astype(scale.dtype), np.maximum(variance, 1e-6).astype(scale.dtype)
