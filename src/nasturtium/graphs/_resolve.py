"""Resolving an open graph: every choice is made, and one closed graph remains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import ShapeError
from nasturtium.graphs._graph import Condition, Edge, Graph, Node, OpenOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

Branch = tuple[Node, tuple[tuple[Condition, Edge], ...], bool]
"""A node of an open graph, its edges without their conditions beside these, and whether any has one."""


def resolve(graph: Graph, choices: Mapping[str, Any]) -> Graph:
    """Return the closed graph of these choices; see ``Graph.resolve``."""
    return _resolved(graph, dict(choices), {})


def _resolved(graph: Graph, choices: dict[str, Any], done: dict[int, Graph]) -> Graph:
    """Resolve one level; ``done`` keeps a nested graph that occurs twice shared."""
    if not graph.is_open:
        return graph
    if id(graph) not in done:
        branches = [branch for branch in graph.branches if holds(branch[0].when, choices)]
        present = {node.name for node, _, _ in branches}
        closed = tuple(_closed(branch, choices, present, done) for branch in branches)
        done[id(graph)] = Graph(closed, tuple(name for name in graph.outputs if name in present))
    return done[id(graph)]


def holds(when: Condition, choices: Mapping[str, Any]) -> bool:
    """Return whether a condition holds for the values chosen so far."""
    for path, values in when:  # noqa: SIM110 (a generator here would be half of the cost of resolving)
        if path not in choices or choices[path] not in values:
            return False
    return True


def branches_of(graph: Graph) -> tuple[Branch, ...]:
    """Return what resolving needs of each node, made once a graph."""
    return tuple(
        (
            node,
            tuple((e.when, Edge(e.source, e.slot, e.output, e.delay, e.weight)) for e in node.edges),
            bool(node.when) or any(e.when for e in node.edges),
        )
        for node in graph.nodes
    )


def _closed(branch: Branch, choices: dict[str, Any], present: set[str], done: dict[int, Graph]) -> Node:
    node, ways, is_conditional = branch
    op = node.op
    if isinstance(op, OpenOperation):
        op = op.close(choices)
    elif isinstance(op, Graph):
        op = _resolved(op, choices, done)
    elif not is_conditional and all(edge.source in present for edge in node.edges):
        return node
    edges = tuple([edge for when, edge in ways if edge.source in present and holds(when, choices)])
    if len(edges) > 1 and len({edge.slot for edge in edges}) != len(edges):
        raise ShapeError(f"one edge a slot remains when choices are made, got {list(edges)} at {node.name!r}.")
    return Node(node.name, op, edges)
