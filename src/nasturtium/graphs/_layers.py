"""Layered layout: places boxes so that links run downward, few cross and long ones are straight.

The steps are those of Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of
hierarchical system structures": layers, order within a layer, positions. Positions minimize squared
distances to the neighbors under the order, by pooling adjacent violators.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Point = tuple[float, float]
Link = tuple[int, int]

GAP = 14.0
"""Least distance between two boxes of a layer."""

RISE = 28.0
"""Distance between two layers."""

_SWEEPS = 12
_BEND = 8.0  # the room that a passing link takes


@final
@dataclass(frozen=True, slots=True)
class Placement:
    """Where everything stands; y grows downward, the origin is the upper left corner.

    Args:
        centers: Middle of each box.
        routes: Points of each link, from its source's lower to its target's upper border.
        width: Of the whole.
        height: Of the whole.
    """

    centers: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def layered(sizes: Sequence[Point], links: Sequence[Link]) -> Placement:
    """Return a layered layout of boxes and the links between them.

    Args:
        sizes: Width and height of each box, in topological order.
        links: (source, target) indices with source < target.

    Example:
        >>> layered([(40.0, 20.0), (60.0, 20.0)], [(0, 1)]).centers
        ((30.0, 10.0), (30.0, 58.0))
    """
    ranks = _ranks(len(sizes), links)
    chains, ranks = _chains(links, ranks)
    steps = [step for chain in chains for step in pairwise(chain)]
    layers = _ordered(ranks, steps)
    widths = [width for width, _ in sizes] + [0.0] * (len(ranks) - len(sizes))
    xs = _positions(layers, widths, steps, n_boxes=len(sizes))
    spans = _spans(layers, sizes, len(ranks))
    centers = tuple((xs[i], sum(spans[i]) / 2) for i in range(len(sizes)))
    arrivals = _arrivals(chains, xs, widths)
    routes = tuple(_route(c, xs, spans, x) for c, x in zip(chains, arrivals, strict=True))
    right = max((x + width / 2 for x, width in zip(xs, widths, strict=True)), default=0.0)
    bottom = max((lower for _, lower in spans), default=0.0)
    return Placement(centers, routes, right, bottom)


def n_bends(n_boxes: int, links: Sequence[Link]) -> int:
    """Return how many layers links pass through: what a layout costs and how hard it reads."""
    ranks = _ranks(n_boxes, links)
    return sum(ranks[target] - ranks[source] - 1 for source, target in links)


def _ranks(n_boxes: int, links: Iterable[Link]) -> list[int]:
    """Return each box's layer: below its sources, and no higher than its targets need it."""
    sources: list[list[int]] = [[] for _ in range(n_boxes)]
    targets: list[list[int]] = [[] for _ in range(n_boxes)]
    for source, target in links:
        sources[target].append(source)
        targets[source].append(target)
    ranks = [0] * n_boxes
    for box in range(n_boxes):
        ranks[box] = max((ranks[s] + 1 for s in sources[box]), default=0)
    for box in reversed(range(n_boxes)):
        if 0 < len(sources[box]) <= len(targets[box]):
            ranks[box] = min(ranks[t] for t in targets[box]) - 1
    return ranks


def _chains(links: Sequence[Link], ranks: list[int]) -> tuple[list[list[int]], list[int]]:
    """Return each link as a chain with an item in every layer, and the layers of all items."""
    ranks = list(ranks)
    chains = []
    for source, target in links:
        chain = [source]
        for rank in range(ranks[source] + 1, ranks[target]):
            chain.append(len(ranks))
            ranks.append(rank)
        chains.append([*chain, target])
    return chains, ranks


def _ordered(ranks: Sequence[int], steps: Sequence[Link]) -> list[list[int]]:
    """Return the items of each layer from left to right: the order with the fewest crossings."""
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for item, rank in enumerate(ranks):
        layers[rank].append(item)
    above, below = _neighbors(len(ranks), steps)
    best = [list(layer) for layer in layers]
    fewest = _crossings(best, below)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        downward = sweep % 2 == 0
        for layer in layers if downward else reversed(layers):
            _sort_by_neighbors(layer, above if downward else below, layers)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _neighbors(n_items: int, steps: Iterable[Link]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(n_items)]
    below: list[list[int]] = [[] for _ in range(n_items)]
    for source, target in steps:
        above[target].append(source)
        below[source].append(target)
    return above, below


def _sort_by_neighbors(layer: list[int], near: list[list[int]], layers: list[list[int]]) -> None:
    """Sort a layer by the mean place of each item's neighbors; those without keep theirs."""
    place = {item: float(index) for other in layers for index, item in enumerate(other)}
    layer.sort(key=_means(layer, near, place).__getitem__)


def _means(items: Iterable[int], near: list[list[int]], places: Mapping[int, float]) -> dict[int, float]:
    """Return the mean place of each item's neighbors, or its own if it has none."""
    return {i: sum(places[n] for n in near[i]) / len(near[i]) if near[i] else places[i] for i in items}


def _crossings(layers: Sequence[Sequence[int]], below: list[list[int]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {item: index for index, item in enumerate(lower)}
        ends = [end for item in upper for end in sorted(place[n] for n in below[item])]
        count += sum(b < a for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _positions(
    layers: Sequence[Sequence[int]], widths: Sequence[float], steps: Sequence[Link], n_boxes: int
) -> list[float]:
    """Return the items' x: near the mean of their neighbors, in order, not overlapping."""
    above, below = _neighbors(len(widths), steps)
    xs = dict.fromkeys(range(len(widths)), 0.0)
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for layer in layers if downward else reversed(layers):
            wanted = list(_means(layer, above if downward else below, xs).values())
            weights = [1.0 if i < n_boxes else 4.0 for i in layer]
            rooms = [widths[i] + GAP if i < n_boxes else _BEND for i in layer]
            xs.update(zip(layer, spread(wanted, rooms, weights), strict=True))
    left = min((xs[i] - width / 2 for i, width in enumerate(widths)), default=0.0)
    return [round(xs[i] - left, 2) for i in range(len(widths))]


def spread(wanted: Sequence[float], rooms: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return positions in the given order, as near as can be to those that are wanted.

    Minimizes the weighted sum of squared distances (isotonic regression by pooling).

    Args:
        wanted: Where each item would like its middle.
        rooms: The width that each item has for itself.
        weights: How much each item's wish counts.

    Example:
        >>> spread([0.0, 0.0], [10.0, 10.0], [1.0, 1.0])
        [-5.0, 5.0]
    """
    offsets = [0.0]
    for before, after in pairwise(rooms):
        offsets.append(offsets[-1] + (before + after) / 2)
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of members
    for x, offset, weight in zip(wanted, offsets, weights, strict=False):
        pool = (x - offset, weight, 1)
        while pools and pools[-1][0] >= pool[0]:
            mean, heavy, size = pools.pop()
            total = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / total, total, size + pool[2])
        pools.append(pool)
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _spans(layers: Sequence[Sequence[int]], sizes: Sequence[Point], n_items: int) -> list[tuple[float, float]]:
    """Return every item's upper and lower border; a passing link has its layer's."""
    spans = [(0.0, 0.0)] * n_items
    top = 0.0
    for layer in layers:
        height = max(sizes[i][1] for i in layer if i < len(sizes))
        for item in layer:
            own = sizes[item][1] if item < len(sizes) else height
            spans[item] = (top + (height - own) / 2, top + (height + own) / 2)
        top += height + RISE
    return spans


def _arrivals(chains: Sequence[Sequence[int]], xs: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return where on its target each link arrives: side by side, in the order of their origins."""
    reaching: dict[int, list[int]] = {}
    for index, chain in enumerate(chains):
        reaching.setdefault(chain[-1], []).append(index)
    arrivals = [0.0] * len(chains)
    for target, indices in reaching.items():
        step = min(12.0, widths[target] / (len(indices) + 1))
        ordered = sorted(indices, key=lambda index: xs[chains[index][-2]])
        for place, index in enumerate(ordered):
            arrivals[index] = xs[target] + step * (place - (len(indices) - 1) / 2)
    return arrivals


def _route(
    chain: Sequence[int], xs: Sequence[float], spans: Sequence[tuple[float, float]], arrival: float
) -> tuple[Point, ...]:
    source, *bends, target = chain
    points = [(xs[source], spans[source][1])]
    for bend in bends:
        points += [(xs[bend], border) for border in spans[bend]]
    return (*points, (arrival, spans[target][0]))
