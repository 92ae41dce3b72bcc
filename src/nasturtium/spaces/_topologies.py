"""Topologies, which combine what a grammar's production names, and the shapes that may arise in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, final

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nasturtium.graphs import Operation, Shape
    from nasturtium.spaces._rules import Production, Rules

Edges = tuple[tuple[int, int], ...]
"""A topology: which nodes its arguments lead from and to; 1 is its input, the last its output."""

Shapes = frozenset["Shape"]

MANY_SHAPES = 8
"""How many of the shapes that an item may give are followed."""

_COMPLETE: Edges = ((1, 2), (1, 3), (2, 3), (1, 4), (2, 4), (3, 4))


@lru_cache(maxsize=256)
def topology_of(name: str) -> Edges | None:
    """Return the edges of one of Schrodi et al.'s topologies, or None if the name is no such.

    Example:
        >>> topology_of("Linear3"), topology_of("Residual2"), topology_of("relu")
        (((1, 2), (2, 3), (3, 4)), ((1, 2), (1, 3), (2, 3)), None)
    """
    if name == "Cell":
        return _COMPLETE
    named = re.fullmatch(r"(Linear|Residual)([1-9]\d*)", name)
    if named is None:
        return None
    n = int(named[2])
    chain = tuple((i, i + 1) for i in range(1, n + 1))
    return chain if named[1] == "Linear" else (*chain[:-1], (1, n + 1), chain[-1])


def is_topology(edges: Edges) -> bool:
    """Return whether edges lead upward from node 1 to the last, and through every node between."""
    last = max(max(edge) for edge in edges)
    rises = all(1 <= a < b for a, b in edges)
    return rises and {a for a, _ in edges} == set(range(1, last)) and {b for _, b in edges} == set(range(2, last + 1))


def is_chain(edges: Edges) -> bool:
    """Return whether the arguments are applied one after the other."""
    return edges == tuple((i, i + 1) for i in range(1, len(edges) + 1))


@final
@dataclass(frozen=True)
class Spread:
    """One look through a grammar: which shapes its terms may have, and whose branches may differ.

    Args:
        rules: The grammar.
        depth: How many levels a term may have.
        edges_of: The topology of a production, None if it has none.
        operation: The operation of a terminal.
    """

    rules: Rules
    depth: int
    edges_of: Callable[[Production], Edges | None]
    operation: Callable[[str], Operation]
    uneven: set[tuple[str, str]] = field(default_factory=set)
    _known: dict[tuple[str, int, Shape], Shapes] = field(default_factory=dict)

    def of_symbol(self, symbol: str, depth: int, shape: Shape) -> Shapes:
        """Return the shapes of a symbol's terms; note in ``uneven`` the productions whose branches differ.

        Raises:
            UsageError: An operation can't take a shape that may reach it.
        """
        key = (symbol, depth, shape)
        if key not in self._known:
            pairs = self.rules.fitting(symbol, depth)
            self._known[key] = _few(s for _, p in pairs for s in self._of_production(symbol, p, depth - 1, shape))
        return self._known[key]

    def _of_production(self, symbol: str, production: Production, depth: int, shape: Shape) -> Shapes:
        edges = self.edges_of(production)
        if edges is None:
            return self._of_item(production.items[0], depth, shape, production.label)
        nodes = [frozenset({shape})]
        arguments = list(zip(production.items[1:], edges, strict=True))
        for target in range(2, max(end for _, (_, end) in arguments) + 1):
            ways = [(item, nodes[source - 1]) for item, (source, end) in arguments if end == target]
            arriving = [_few(s for x in at for s in self._of_item(i, depth, x, production.label)) for i, at in ways]
            if len(arriving) > 1 and len(frozenset().union(*arriving)) > 1:
                self.uneven.add((symbol, production.label))
            combined = islice(product(*map(sorted, arriving)), MANY_SHAPES**2)
            nodes.append(_few(o.Sum().shape(*shapes) for shapes in combined))
        return nodes[-1]

    def _of_item(self, item: str, depth: int, shape: Shape, label: str) -> Shapes:
        if item in self.rules.productions:
            return self.of_symbol(item, self.depth if item in self.rules.shared else depth, shape)
        try:
            return frozenset({self.operation(item).shape(shape)})
        except ShapeError as error:
            raise UsageError(f"every production must fit, got {item!r} in {label!r}: {error}") from error


def _few(shapes: Iterable[Shape]) -> Shapes:
    return frozenset(islice(sorted(set(shapes)), MANY_SHAPES))
