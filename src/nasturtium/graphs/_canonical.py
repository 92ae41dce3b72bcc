"""A key that equal functions share: isomorphism of simplified graphs.

Colors are refined in both directions (Weisfeiler & Leman 1968). Where nodes stay alike, each is
singled out in turn and refined again, until all colors differ; the smallest of the graphs written
out in such an order is the canonical one. The search tree is pruned by what refinement finds at each
level, and by the automorphisms that two equal leaves give (McKay & Piperno 2014, "Practical graph
isomorphism, II", arXiv 1301.1493, section 2).

So the key separates every two unlike graphs of at most ``COMPLETE_UP_TO`` nodes a level, and for
most networks takes as many refinements as there are nodes alike, squared at worst. Beyond, a graph
whose nodes refinement tells apart still has a key of its own; of others refinement alone decides,
and unlike graphs could share a key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nasturtium.graphs._base import OPERATIONS, Operation
from nasturtium.graphs._graph import Graph, OpenOperation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.graphs._graph import Node

COMPLETE_UP_TO = 32
"""Nodes a graph level up to which the key separates every two unlike graphs."""

Link = tuple[str, int, str, int]
"""What an edge looks like from one end: (slot, delay, weight and output, index of the other end)."""

Trace = tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]
"""What refinement found: each node's color and those around it, sorted; names don't matter."""


def canonical_key(graph: Graph) -> str:
    """Return the hexadecimal digest of the graph with its names forgotten."""
    labels = [node_label(graph, node) for node in graph.nodes]
    arriving, leaving = _links(graph)
    around = _Surroundings.of(arriving, leaving)
    colors, _ = around.refined(_ranks(labels))
    if len(labels) <= COMPLETE_UP_TO:
        search = _Search(around)
        search.descend(colors, (), (), is_tied=True)
        colors = search.best
    return blake2b(json.dumps(_certificate(colors, labels, arriving)).encode(), digest_size=12).hexdigest()


def operation_label(op: Operation) -> str:
    """Return the text that operations of the same function share."""
    # 1, 1.0 and True are equal, but their texts differ.
    return _described(op, tuple(map(type, vars(op).values())))


@lru_cache(maxsize=1 << 14)
def _described(op: Operation, kinds: tuple[type, ...]) -> str:
    del kinds
    return json.dumps(OPERATIONS.describe(op), sort_keys=True)


def node_label(graph: Graph, node: Node) -> str:
    """Return what a node is, its name and its edges aside: operation, and place among inputs and outputs."""
    if isinstance(node.op, Graph):
        label = f"graph {node.op.key}"
    else:
        assert not isinstance(node.op, OpenOperation), "an open graph has no key"
        label = operation_label(node.op)
    ports = [i for i, name in enumerate(graph.outputs) if name == node.name]
    entries = [i for i, entry in enumerate(graph.inputs) if entry is node]
    return f"{label} in{entries} out{ports}"


def _links(graph: Graph) -> tuple[list[list[Link]], list[list[Link]]]:
    position = {node.name: i for i, node in enumerate(graph.nodes)}
    arriving: list[list[Link]] = [[] for _ in graph.nodes]
    leaving: list[list[Link]] = [[] for _ in graph.nodes]
    for target, node in enumerate(graph.nodes):
        free = not isinstance(node.op, (Graph, OpenOperation)) and node.op.commutative
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


@dataclass(frozen=True)
class _Surroundings:
    """The links of each node as (kind, other end), kinds numbered in the order of their content."""

    arriving: list[list[tuple[int, int]]]
    leaving: list[list[tuple[int, int]]]

    @classmethod
    def of(cls, arriving: list[list[Link]], leaving: list[list[Link]]) -> _Surroundings:
        kinds = {kind: i for i, kind in enumerate(sorted({link[:3] for links in arriving for link in links}))}
        n = len(arriving)

        def numbered(ends: list[list[Link]]) -> list[list[tuple[int, int]]]:
            return [sorted((n * kinds[link[:3]], link[3]) for link in links) for links in ends]

        return cls(numbered(arriving), numbered(leaving))

    def refined(self, colors: list[int]) -> tuple[list[int], Trace]:
        """Split colors by the colors around them until nothing splits any more."""
        while True:
            signatures = [
                (
                    color,
                    tuple(sorted([kind + colors[u] for kind, u in come])),
                    tuple(sorted([kind + colors[u] for kind, u in go])),
                )
                for color, come, go in zip(colors, self.arriving, self.leaving, strict=True)
            ]
            split = _ranks(signatures)
            if split == colors:
                return colors, tuple(sorted(signatures))
            colors = split


@dataclass
class _Search:
    """Searches for the order of the nodes whose traces on the way down are the smallest."""

    around: _Surroundings
    best: list[int] = field(default_factory=list)
    best_traces: tuple[Trace, ...] = ()
    leaves: dict[tuple[Trace, ...], tuple[tuple[int, ...], list[int]]] = field(default_factory=dict)
    automorphisms: list[list[int]] = field(default_factory=list)
    return_to: int | None = None

    def descend(self, colors: list[int], singled: tuple[int, ...], traces: tuple[Trace, ...], *, is_tied: bool) -> None:
        """Search below these colors.

        Args:
            colors: Refined ones.
            singled: The nodes that were singled out on the way.
            traces: What refinement found each time.
            is_tied: Whether the traces are the first of ``best_traces``; else they are smaller.
        """
        cell = _first_shared(colors)
        if not cell:
            self._leaf(colors, singled, traces)
            return
        depth = len(traces)
        tried: list[int] = []
        twins: set[Any] = set()
        for v in cell:
            surroundings = (tuple(self.around.arriving[v]), tuple(self.around.leaving[v]))
            if surroundings in twins or self._is_image(v, tried, singled):
                continue
            twins.add(surroundings)
            tried.append(v)
            single = [2 * color for color in colors]
            single[v] -= 1
            finer, trace = self.around.refined(_ranks(single))
            has_rival = is_tied and len(self.best_traces) > depth
            if has_rival and trace > self.best_traces[depth]:
                continue
            still_tied = has_rival and trace == self.best_traces[depth]
            self.descend(finer, (*singled, v), (*traces, trace), is_tied=still_tied)
            is_tied = True  # there is a best leaf now, and it is below these colors or tied with them
            if self.return_to is not None and self.return_to < depth:
                return
            self.return_to = None

    def _leaf(self, colors: list[int], singled: tuple[int, ...], traces: tuple[Trace, ...]) -> None:
        """Compare a leaf with those before it; an equal one gives an automorphism."""
        if traces in self.leaves:
            earlier, order = self.leaves[traces]
            node_of = {color: v for v, color in enumerate(colors)}
            self.automorphisms.append([node_of[color] for color in order])
            # Where the two ways part, all below the later one is an image of what was searched.
            self.return_to = next(i for i, (a, b) in enumerate(zip(earlier, singled, strict=True)) if a != b)
            return
        self.leaves[traces] = (singled, colors)
        if not self.best or traces < self.best_traces:
            self.best, self.best_traces = colors, traces

    def _is_image(self, v: int, tried: list[int], singled: tuple[int, ...]) -> bool:
        """Whether automorphisms that keep the nodes singled out lead from a tried node to v."""
        fixing = [a for a in self.automorphisms if all(a[u] == u for u in singled)]
        reached, waiting = set(tried), list(tried)
        while waiting:
            u = waiting.pop()
            new = {a[u] for a in fixing} - reached
            reached |= new
            waiting += new
        return v in reached


def _first_shared(colors: list[int]) -> list[int]:
    """Return the nodes of the first color that several have; none if all differ."""
    seen: dict[int, list[int]] = {}
    for v, color in enumerate(colors):
        seen.setdefault(color, []).append(v)
    shared = [color for color, nodes in seen.items() if len(nodes) > 1]
    return seen[min(shared)] if shared else []


def _certificate(colors: list[int], labels: list[str], arriving: list[list[Link]]) -> list[Any]:
    """Return the graph written out in the order of its colors."""
    rows = []
    for v in range(len(colors)):
        edges = sorted([s, d, x, colors[u]] for s, d, x, u in arriving[v])
        rows.append([colors[v], labels[v], edges])
    return sorted(rows)
