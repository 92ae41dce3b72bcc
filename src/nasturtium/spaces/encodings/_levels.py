"""The levels of a network that its space decides about: the cells, or the whole."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nasturtium.graphs import Graph, OpenOperation
from nasturtium.graphs import weisfeiler_lehman as features_of
from nasturtium.spaces._base import Open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._base import Space

Place = tuple[str, ...]
"""The names of the nodes that lead to a nested graph; empty for the whole network."""


def levels_of(space: Space, architecture: Architecture) -> list[tuple[Place, Graph]]:
    """Return a network's levels that the space decides about, cells of one kind once.

    Args:
        space: A space of networks; one without an open graph has a single level, the network.
        architecture: A member.

    Returns:
        The place of the kind's first cell, and the first of its cells that the network has.
    """
    network = space.graph(architecture)
    if not isinstance(space, Open):
        return [((), network)]
    present = [(places[0], [at for at in places if _at(network, at)]) for places in open_levels(space)]
    found = [(kind, _at(network, at[0])) for kind, at in present if at]
    return [(kind, graph) for kind, graph in found if graph is not None]


@lru_cache(maxsize=64)
def open_levels(space: Space) -> tuple[tuple[Place, ...], ...]:
    """Return the places of every kind of level that holds choices itself, in order of appearance."""
    kinds: dict[Any, list[Place]] = {}
    for place, graph in _walked(space.graph(), ()):
        if _decides(graph):
            look = (tuple((n.name, n.when, n.edges) for n in graph.nodes), graph.outputs)
            kinds.setdefault(look, []).append(place)
    return tuple(tuple(places) for places in kinds.values())


def _decides(graph: Graph) -> bool:
    """Whether a level holds choices itself: of its nodes, or of the edges between them."""
    return any(is_choice for _, is_choice in letters(graph)) or any(e.when for n in graph.nodes for e in n.edges)


def letters(graph: Graph) -> list[tuple[str, bool]]:
    """Return each node of an open level with whether a choice makes it what it is."""
    return [(n.name, bool(n.when) or isinstance(n.op, OpenOperation)) for n in graph.nodes]


def level_at(graph: Graph, place: Place) -> Graph:
    """Return the nested graph at a place that is there."""
    found = _at(graph, place)
    assert found is not None, "an open graph has all its levels"
    return found


def _walked(graph: Graph, place: Place) -> Iterator[tuple[Place, Graph]]:
    yield place, graph
    for node in graph.nodes:
        if isinstance(node.op, Graph):
            yield from _walked(node.op, (*place, node.name))


def _at(graph: Graph, place: Place) -> Graph | None:
    """Return the nested graph at a place, or None if the network has none there."""
    for name in place:
        node = graph.by_name.get(name)
        if node is None or not isinstance(node.op, Graph):
            return None
        graph = node.op
    return graph


def weisfeiler_lehman(space: Space, architecture: Architecture, iterations: int = 2) -> Counter[str]:
    """Return the counts of the neighborhoods in the simplified cells of an architecture.

    Args:
        space: A space of networks.
        architecture: A member.
        iterations: Number of relabelings; see ``graphs.weisfeiler_lehman``.

    Returns:
        Counts by feature, the kind of cell before it. Networks of equal key have equal counts if
        their cells have equal keys.

    Example:
        >>> from nasturtium.spaces import chain, choice, op
        >>> from nasturtium.testing import Shapes
        >>> space = chain(op("conv", out=choice(8, 16)), op("global_pool"), op("linear")).on(Shapes())
        >>> a, b = space
        >>> first, second = weisfeiler_lehman(space, a, 0), weisfeiler_lehman(space, b, 0)
        >>> sum((first & second).values()), first.total()
        (3, 4)
    """
    counts: Counter[str] = Counter()
    for place, graph in levels_of(space, architecture):
        found = features_of(graph.simplified(), iterations)
        counts.update({f"{'.'.join(place)}:{feature}": n for feature, n in found.items()})
    return counts
