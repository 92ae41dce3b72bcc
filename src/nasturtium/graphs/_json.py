"""The exact JSON form of a graph."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import UsageError
from nasturtium.graphs._base import OPERATIONS, Operation
from nasturtium.graphs._graph import Edge, Graph, Node


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Return a closed graph as JSON data; a nested graph that is shared is written once.

    Raises:
        UsageError: The graph is open, or holds an operation without a registry name.
    """
    if graph.is_open:
        raise UsageError("an open graph has no JSON form; resolve it with an architecture first.")
    motifs: list[Graph] = []
    body = _level(graph, motifs)
    # Writing a motif may add motifs, so the list grows while it is walked.
    written = [_level(motif, motifs) for motif in motifs]
    return {**body, "motifs": written} if written else body


def _level(graph: Graph, motifs: list[Graph]) -> dict[str, Any]:
    return {
        "nodes": [[n.name, _op(n.op, motifs), [_edge(e) for e in n.edges]] for n in graph.nodes],
        "outputs": list(graph.outputs),
    }


def _op(op: Any, motifs: list[Graph]) -> Any:
    if isinstance(op, Graph):
        if op not in motifs:
            motifs.append(op)
        return motifs.index(op)
    described = OPERATIONS.describe(op)
    if "opaque" in described:
        raise UsageError(f"a stored graph holds registered operations, got {described['opaque']}; register it.")
    return described


def _edge(edge: Edge) -> Any:
    plain = edge.output is None and not edge.delay and edge.weight is None
    return [edge.source, edge.slot] if plain else [edge.source, edge.slot, edge.output, edge.delay, edge.weight]


def graph_from_json(data: dict[str, Any]) -> Graph:
    """Return the graph that ``graph_to_json`` wrote."""
    levels = list(data.get("motifs", ()))
    done: dict[int, Graph] = {}

    def motif(index: int) -> Graph:
        if index not in done:
            done[index] = level(levels[index])
        return done[index]

    def operation(value: Any) -> Operation | Graph:
        return motif(value) if isinstance(value, int) else OPERATIONS.restore(value)

    def level(body: dict[str, Any]) -> Graph:
        nodes = tuple(
            Node(name, operation(op), tuple(Edge(*edge) for edge in edges)) for name, op, edges in body["nodes"]
        )
        return Graph(nodes, tuple(body["outputs"]))

    return level(data)
