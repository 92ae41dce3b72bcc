"""Path encodings: which sequences of operations lead from a cell's input to its output.

White, Neiswanger & Savani 2019, "BANANAS" (arXiv 1910.11858), section 4.1, for NAS-Bench-101 and
-201; here for every space: of each level that holds choices the nodes that a choice makes are the
letters. Where a level has several inputs, a path begins with the input's name; where it has several
outputs it ends with the output's.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.graphs import Graph, Node, OpenOperation, Operation, Pick
from nasturtium.graphs._canonical import operation_label
from nasturtium.spaces._base import Open
from nasturtium.spaces._decision import Categorical
from nasturtium.spaces.encodings._levels import letters, level_at, levels_of, open_levels
from nasturtium.spaces.encodings._options import all_decisions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._base import Space
    from nasturtium.spaces._decision import Value

Path = tuple[str, ...]
"""The kind of level, then the letters from input to output."""

MOST_PATHS = 100_000
"""Beyond so many paths there is no path encoding, and the truncated one has to do."""

N_SAMPLES = 1_000
"""Random members in which the truncated encoding counts paths."""


def paths(space: Space, architecture: Architecture) -> frozenset[Path]:
    """Return the sequences of operations on the ways through an architecture's cells.

    Args:
        space: A space of networks.
        architecture: A member.

    Raises:
        UsageError: There are more than ``MOST_PATHS``.
    """
    found: set[Path] = set()
    for place, graph in levels_of(space, architecture):
        names = _choices(space, place) if isinstance(space, Open) else {n.name for n in graph.nodes if n.edges}
        labels = {n.name: [_label(n.name, n.op)] for n in graph.nodes if n.name in names}
        found |= {(".".join(place), *way) for way in _ways(graph, labels)}
    return frozenset(found)


def path(space: Space, architecture: Architecture) -> NDArray[np.float64]:
    """Return which of all paths of the space an architecture has.

    Args:
        space: A space with an open graph.
        architecture: A member.

    Returns:
        Shape ``(n_paths,)``, 0 or 1, in the order of ``path_vocabulary``.

    Raises:
        RequirementError: The space has no open graph.
        UsageError: There are more than ``MOST_PATHS``.
    """
    return _bits(paths(space, architecture), path_vocabulary(space))


def truncated_path(space: Space, architecture: Architecture, length: int = 40) -> NDArray[np.float64]:
    """Return which of the most frequent paths an architecture has.

    Long paths are rare, so little is lost (White et al. 2019, theorem 4.1).

    Args:
        space: A space of networks.
        architecture: A member.
        length: How many paths count; the authors take 40 of 364 (NAS-Bench-101) and 30 of 155
            (NAS-Bench-201).

    Returns:
        Shape ``(length,)``, 0 or 1, by falling frequency among ``N_SAMPLES`` random members (always
        the same ones); zeros where they have fewer paths.
    """
    frequent = _frequent(space)[:length]
    return np.concatenate([_bits(paths(space, architecture), frequent), np.zeros(length - len(frequent))])


@lru_cache(maxsize=64)
def path_vocabulary(space: Space) -> tuple[Path, ...]:
    """Return every sequence of operations that the open graph allows, the short ones first.

    Raises:
        RequirementError: The space has no open graph.
        UsageError: There are more than ``MOST_PATHS``.
    """
    opened = space.graph()
    found: set[Path] = set()
    for place, *_ in open_levels(space):
        graph, names = level_at(opened, place), _choices(space, place)
        labels = {n.name: _all_labels(space, n) for n in graph.nodes if n.name in names}
        found |= {(".".join(place), *way) for way in _ways(graph, labels)}
    return tuple(sorted(found, key=lambda way: (len(way), way)))


@lru_cache(maxsize=64)
def _frequent(space: Space) -> tuple[Path, ...]:
    rng = np.random.default_rng(0)
    free = space.unlimited()
    counts = Counter(way for _ in range(N_SAMPLES) for way in paths(space, free.sample(rng)))
    return tuple(sorted(counts, key=lambda way: (-counts[way], len(way), way)))


def _bits(found: Collection[Path], vocabulary: Sequence[Path]) -> NDArray[np.float64]:
    return np.array([float(way in found) for way in vocabulary])


@lru_cache(maxsize=256)
def _choices(space: Space, place: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the nodes of a level that a choice makes what they are."""
    return frozenset(name for name, is_choice in letters(level_at(space.graph(), place)) if is_choice)


def _ways(graph: Graph, labels: Mapping[str, Sequence[str]]) -> set[Path]:
    """Return the letters on every way from an input to an output; delayed edges end a way.

    Args:
        graph: A level, open or closed.
        labels: The letters that a node may be; a node without is passed by.
    """
    inputs, outputs = [node.name for node in graph.inputs], graph.outputs
    reaching: dict[str, set[Path]] = {}
    for node in graph.nodes:
        if node.name in inputs:
            reaching[node.name] = {(node.name,) if len(inputs) > 1 else ()}
            continue
        before = set().union(*(reaching[edge.source] for edge in node.edges if not edge.delay))
        if node.name in labels:
            before = {(*way, letter) for way in before for letter in labels[node.name]}
        if len(before) > MOST_PATHS:
            raise UsageError(f"a path encoding has at most {MOST_PATHS:,} paths, got more; use truncated_path(...).")
        reaching[node.name] = before
    return {(*way, name) if len(outputs) > 1 else way for name in outputs for way in reaching[name]}


def _label(name: str, op: Operation | Graph | OpenOperation) -> str:
    assert not isinstance(op, OpenOperation), "every choice is made"
    return name if isinstance(op, Graph) else operation_label(op)


def _all_labels(space: Space, node: Node) -> list[str]:
    """Return the letters that a node of an open level may be."""
    if not isinstance(node.op, OpenOperation):
        return [_label(node.name, node.op)]
    picked = [value.path for _, value in node.op.arguments if isinstance(value, Pick)]
    options = [_values(space, at) for at in picked]
    return [_label(node.name, node.op.close(dict(zip(picked, values, strict=True)))) for values in product(*options)]


def _values(space: Space, at: str) -> Sequence[Value]:
    decision = all_decisions(space)[at]
    values = decision.values if isinstance(decision, Categorical) else decision.options({})
    if not values:
        raise UsageError(f"a path encoding needs finite choices, got a real number at {at!r}; use truncated_path(...).")
    return values
