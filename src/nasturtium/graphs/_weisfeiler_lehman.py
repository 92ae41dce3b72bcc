"""Weisfeiler-Lehman features: how often each neighborhood occurs in a graph."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING

from nasturtium.errors import UsageError
from nasturtium.graphs._canonical import node_label

if TYPE_CHECKING:
    from nasturtium.graphs._graph import Graph


def weisfeiler_lehman(graph: Graph, iterations: int = 2) -> Counter[str]:
    """Return the counts of node labels, and of the labels after each relabeling.

    A relabeling joins a node's label with the sorted ones of the nodes that read it. Names do not
    matter, and neither does the order in which a node reads its inputs; delays and weights do.

    Args:
        graph: A closed graph; a nested graph is a node, labeled by its key.
        iterations: Number of relabelings, the height of the largest neighborhood.

    Returns:
        Counts by feature; a feature begins with its height, and is the same in every process.

    Raises:
        UsageError: ``iterations`` is negative, or the graph is open.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.input("x", (4,))
        >>> graph = b.graph(b.add("sum", operations.Add(), x, b.add("fc", operations.Linear(4), x)))
        >>> sorted(weisfeiler_lehman(graph, 1).values())
        [1, 1, 1, 1, 1, 1]

    References:
        Shervashidze et al. 2011, Weisfeiler-Lehman graph kernels; Ru et al. 2021 (NAS-BOWL,
        arXiv 2006.07556), section 3, which reads a cell's edges in this direction.
    """
    if iterations < 0 or graph.is_open:
        raise UsageError(f"features are of a closed graph, iterations at least 0, got iterations={iterations}.")
    labels = {node.name: _hashed(node_label(graph, node)) for node in graph.nodes}
    readers: dict[str, list[tuple[str, str]]] = {node.name: [] for node in graph.nodes}
    for node in graph.nodes:
        for edge in node.edges:
            kind = f"{edge.delay} {edge.weight!r}" if edge.delay or edge.weight is not None else ""
            readers[edge.source].append((kind, node.name))
    counts = Counter(f"0:{label}" for label in labels.values())
    for height in range(1, iterations + 1):
        around = {name: sorted(kind + labels[reader] for kind, reader in ends) for name, ends in readers.items()}
        labels = {name: _hashed(" ".join([label, *around[name]])) for name, label in labels.items()}
        counts.update(f"{height}:{label}" for label in labels.values())
    return counts


def _hashed(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
