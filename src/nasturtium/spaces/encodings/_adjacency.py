"""Adjacency encodings: what was decided, decision by decision.

In a cell space the decisions are the entries of the adjacency matrix and the operations; a decision
between False and True is an *edge*. The same functions read the decisions of any other space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.spaces._base import Decisions
from nasturtium.spaces._decision import Categorical, Decision, Interval, Value, place_of
from nasturtium.spaces.encodings._options import all_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._base import Space


def adjacency_one_hot(space: Space, architecture: Architecture) -> NDArray[np.float64]:
    """Return an entry for each edge and for each value of each other decision.

    A number has two entries, whether it is asked and its position in its range. What is not asked
    is all zero.

    Args:
        space: A space of decisions.
        architecture: A member.

    Returns:
        Shape ``(n,)``, in [0, 1]; different for different architectures.

    Example:
        >>> from nasturtium.spaces import Architecture, choice, decisions
        >>> space = decisions(edge=choice(False, True), op=choice("conv", "pool"))
        >>> adjacency_one_hot(space, Architecture({"edge": True, "op": "pool"})).tolist()
        [1.0, 0.0, 1.0]
    """
    parts: list[float] = []
    for path, decision in all_decisions(space).items():
        is_asked = path in architecture
        if isinstance(decision, Interval):
            parts += [1.0, decision.position(architecture[path], {})] if is_asked else [0.0, 0.0]
        elif is_edge(decision):
            parts.append(float(is_asked and architecture[path]))
        else:
            place = place_of(architecture[path], decision.values) if is_asked else None
            parts += [float(place == i) for i in range(len(decision.values))]
    return np.array(parts)


def adjacency_categorical(space: Space, architecture: Architecture) -> NDArray[np.float64]:
    """Return the numbers of the edges that are there, then each other decision's value by number.

    Args:
        space: A space of decisions.
        architecture: A member.

    Returns:
        As many entries as decisions: first the rising numbers of the present edges, filled up with
        -1; then which value each other decision has, or a number's position in its range; -1 if
        not asked. Different for different architectures.

    Example:
        >>> from nasturtium.spaces import Architecture, choice, decisions
        >>> space = decisions(a=choice(False, True), b=choice(False, True), op=choice("conv", "pool"))
        >>> adjacency_categorical(space, Architecture({"a": False, "b": True, "op": "pool"})).tolist()
        [1.0, -1.0, 1.0]
    """
    known = all_decisions(space)
    edges = [path for path, decision in known.items() if is_edge(decision)]
    present = [float(i) for i, path in enumerate(edges) if architecture.get(path, False)]
    others = [
        _number(decision, architecture[path]) if path in architecture else -1.0
        for path, decision in known.items()
        if not is_edge(decision)
    ]
    return np.array([*present, *[-1.0] * (len(edges) - len(present)), *others])


def adjacency_continuous(space: Space, architecture: Architecture) -> NDArray[np.float64]:
    """Return a weight for each edge and their number, then each other decision's position.

    ``architecture_at`` reads it: of all edges the heaviest are kept. So the encoding can be drawn
    at random and shifted a little.

    Args:
        space: A space of decisions.
        architecture: A member.

    Returns:
        One entry a decision and one more if there are edges: weights (1 or 0), the number of edges,
        positions in [0, 1), -1 if not asked. Different for different architectures.
    """
    known = all_decisions(space)
    weights = [float(architecture.get(path, False)) for path, decision in known.items() if is_edge(decision)]
    others = []
    asked = {decision.path: (decision, prefix) for decision, prefix in _with_prefixes(space, architecture)}
    for path in (path for path, decision in known.items() if not is_edge(decision)):
        decision, prefix = asked.get(path, (None, {}))
        others.append(-1.0 if decision is None else decision.position(architecture[path], prefix))
    return np.array([*weights, *[sum(weights)] * bool(weights), *others])


def architecture_at(space: Space, vector: NDArray[np.float64]) -> Architecture:
    """Return the architecture of a continuous adjacency encoding, limits ignored.

    Args:
        space: A space of decisions.
        vector: As ``adjacency_continuous`` gives it, or any other numbers: the number of edges is
            rounded, positions are clipped, ties go to the earlier edge.

    Raises:
        UsageError: The vector has another length, or its edges break a rule of the space.
    """
    known = all_decisions(space)
    edges = [path for path, decision in known.items() if is_edge(decision)]
    others = [path for path, decision in known.items() if not is_edge(decision)]
    length = len(edges) + bool(edges) + len(others)
    if vector.shape != (length,):
        raise UsageError(f"a vector of this space has the shape ({length},), got {vector.shape}; encode one to see.")
    n_kept = round(float(np.clip(vector[len(edges)], 0, len(edges)))) if edges else 0
    heaviest = np.argsort(-vector[: len(edges)], kind="stable")[:n_kept]
    kept = {edges[i] for i in heaviest.tolist()}
    positions = dict(zip(others, vector[length - len(others) :].tolist(), strict=True))

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        if decision.path in positions:
            return decision.at(min(max(positions[decision.path], 0.0), 1 - 1e-12), prefix)
        return decision.path in kept

    assert isinstance(space, Decisions), "its decisions are known"
    return space.construct(choose)


def is_edge(decision: Decision) -> bool:
    """Return whether a decision says that something is there or not."""
    return isinstance(decision, Categorical) and sorted(map(repr, decision.values)) == ["False", "True"]


def _number(decision: Decision, value: Value) -> float:
    if isinstance(decision, Interval):
        return decision.position(value, {})
    place = place_of(value, decision.values)
    assert place is not None, "a member's values are known"
    return float(place)


def _with_prefixes(space: Space, architecture: Architecture) -> list[tuple[Decision, dict[str, Value]]]:
    """Return the decisions asked, each with what was chosen before."""
    assert isinstance(space, Decisions), "its decisions are known"
    chosen: dict[str, Value] = {}
    steps = []
    for decision, value in space.trace(architecture):
        steps.append((decision, dict(chosen)))
        chosen[decision.path] = value
    return steps
