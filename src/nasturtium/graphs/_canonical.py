"""A key that equal functions share: isomorphism of simplified graphs.

Colors are refined in both directions (Weisfeiler & Leman 1968). Where nodes stay alike, each is
singled out in turn and the smallest certificate wins, so the key is complete for graphs of at most
``COMPLETE_UP_TO`` nodes; beyond, refinement alone decides, and unlike graphs could share a key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from nasturtium.graphs._base import OPERATIONS, Operation
from nasturtium.graphs._graph import Graph

COMPLETE_UP_TO = 32
"""Nodes a graph level up to which the key separates every two unlike graphs."""

_MAX_LEAVES = 5_000

Link = tuple[str, int, str, int]
"""What an edge looks like from one end: (slot, delay, weight and output, index of the other end)."""


def canonical_key(graph: Graph) -> str:
    """Return the hexadecimal digest of the graph with its names forgotten."""
    labels = [_label(graph, index) for index in range(len(graph.nodes))]
    arriving, leaving = _links(graph)
    colors = _refine(_ranks(labels), arriving, leaving)
    complete = len(labels) <= COMPLETE_UP_TO
    budget = [_MAX_LEAVES if complete else 0]
    best = _search(colors, labels, arriving, leaving, budget)
    if best is None:
        best = _certificate(colors, labels, arriving)
    return blake2b(json.dumps(best).encode(), digest_size=12).hexdigest()


def operation_label(op: Operation) -> str:
    """Return the text that operations of the same function share."""
    described = OPERATIONS.describe(op)
    if "opaque" in described:
        described = {"class": described["opaque"], "arguments": repr(sorted(op.arguments().items()))}
    return json.dumps(described, sort_keys=True)


def _label(graph: Graph, index: int) -> str:
    node = graph.nodes[index]
    if isinstance(node.op, Graph):
        label = f"graph {node.op.key}"
    else:
        assert isinstance(node.op, Operation), "an open graph has no key"
        label = operation_label(node.op)
    ports = [i for i, name in enumerate(graph.outputs) if name == node.name]
    entries = [i for i, entry in enumerate(graph.inputs) if entry.name == node.name]
    return f"{label} in{entries} out{ports}"


def _links(graph: Graph) -> tuple[list[list[Link]], list[list[Link]]]:
    position = {node.name: i for i, node in enumerate(graph.nodes)}
    arriving: list[list[Link]] = [[] for _ in graph.nodes]
    leaving: list[list[Link]] = [[] for _ in graph.nodes]
    for target, node in enumerate(graph.nodes):
        free = isinstance(node.op, Operation) and node.op.commutative
        for order, edge in enumerate(node.edges):
            slot = "any" if free else str(order)
            source = position[edge.source]
            op = graph.by_name[edge.source].op
            port = op.outputs.index(edge.output) if isinstance(op, Graph) and edge.output else 0
            extra = f"{port} {edge.weight!r}"
            arriving[target].append((slot, edge.delay, extra, source))
            leaving[source].append((slot, edge.delay, extra, target))
    return arriving, leaving


def _ranks(signatures: Sequence[Any]) -> list[int]:
    """Return each signature's place among the distinct ones, in sorted order."""
    place = {signature: i for i, signature in enumerate(sorted(set(signatures)))}
    return [place[s] for s in signatures]


def _refine(colors: list[int], arriving: list[list[Link]], leaving: list[list[Link]]) -> list[int]:
    """Split colors by the colors around them until nothing splits any more."""
    count = len(set(colors))
    while count < len(colors):
        signatures = [
            (
                colors[v],
                tuple(sorted((s, d, x, colors[u]) for s, d, x, u in arriving[v])),
                tuple(sorted((s, d, x, colors[u]) for s, d, x, u in leaving[v])),
            )
            for v in range(len(colors))
        ]
        colors = _ranks(signatures)
        if len(set(colors)) == count:
            break
        count = len(set(colors))
    return colors


def _search(
    colors: list[int],
    labels: list[str],
    arriving: list[list[Link]],
    leaving: list[list[Link]],
    budget: list[int],
) -> list[Any] | None:
    """Return the smallest certificate below these colors, or None when the budget runs out."""
    sizes = Counter(colors)
    shared = [color for color, size in sorted(sizes.items()) if size > 1]
    if not shared:
        budget[0] -= 1
        return _certificate(colors, labels, arriving) if budget[0] >= 0 else None
    best: list[Any] | None = None
    seen: set[Any] = set()
    for v in (v for v, color in enumerate(colors) if color == shared[0]):
        surroundings = (tuple(sorted(arriving[v])), tuple(sorted(leaving[v])))
        if surroundings in seen:  # a twin of a node that was tried: the same certificate
            continue
        seen.add(surroundings)
        single = [2 * color for color in colors]
        single[v] -= 1
        found = _search(_refine(_ranks(single), arriving, leaving), labels, arriving, leaving, budget)
        if found is None:
            return None
        best = found if best is None else min(best, found)
    return best


def _certificate(colors: list[int], labels: list[str], arriving: list[list[Link]]) -> list[Any]:
    """Return the graph written out in the order of its colors."""
    rows = []
    for v in range(len(colors)):
        edges = sorted([s, d, x, colors[u]] for s, d, x, u in arriving[v])
        rows.append([colors[v], labels[v], edges])
    return sorted(rows)
