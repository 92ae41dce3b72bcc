"""Which decisions a space can ask, and what makes it ask each: for formats that list them once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.spaces._decision import Categorical, Decision, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nasturtium.graphs import Condition
    from nasturtium.spaces._decisions import DecisionSpace

COUNTS = 1_000
"""A whole number with more values than this opens no decisions: it is no number of copies."""


@final
@dataclass(frozen=True)
class Conditional:
    """A decision, and when it is asked.

    Args:
        decision: The decision; its rule, if it has one, still forbids values after some answers.
        when: (path of an earlier decision, values that open this one) pairs, all of which must
            hold; none means that it is always asked.
    """

    decision: Decision
    when: Condition = ()


@lru_cache(maxsize=32)
def conditionals(space: DecisionSpace) -> tuple[Conditional, ...]:
    """Return every decision that a space can ask, each after those that open it; rules are ignored.

    They are found by asking: each value of each decision is tried once, and what is asked for some
    values of a decision but not for others depends on it.

    Example:
        >>> from nasturtium.spaces import choice, decisions, integer, option
        >>> space = decisions(kind=choice("plain", option("wide", width=integer(1, 8))))
        >>> [(c.decision.path, c.when) for c in conditionals(space)]
        [('kind', ()), ('kind.wide.width', (('kind', frozenset({'wide'})),))]
    """
    start = _asked(space, {})
    if space.is_fixed:
        return tuple(map(Conditional, start.values()))
    found: dict[str, tuple[Decision, Mapping[str, Value]]] = {p: (d, {}) for p, d in start.items()}
    opened: dict[str, dict[str, frozenset[Value]]] = {path: {} for path in found}
    queue = deque(found)
    while queue:
        path = queue.popleft()
        decision, fixed = found[path]
        by_value = {value: _asked(space, {**fixed, path: value}) for value in _alternatives(decision)}
        for child in dict.fromkeys(p for asked in by_value.values() for p in asked):
            openers = frozenset(value for value, asked in by_value.items() if child in asked)
            if child not in found:
                value = next(value for value in by_value if value in openers)
                found[child] = by_value[value][child], {**fixed, path: value}
                opened[child] = {}
                queue.append(child)
            if len(openers) < len(by_value):
                opened[child][path] = openers
    return tuple(Conditional(found[path][0], _nearest(opened, path)) for path in _ordered(opened))


def _asked(space: DecisionSpace, fixed: Mapping[str, Value]) -> dict[str, Decision]:
    """Return what is asked when the fixed values are answered, and the first value elsewhere."""
    decisions: dict[str, Decision] = {}

    def ask(decision: Decision) -> Value:
        decisions[decision.path] = decision
        if decision.path in fixed:
            return fixed[decision.path]
        return decision.values[0] if isinstance(decision, Categorical) else decision.at(0.0, {})

    space.ask_all(ask)
    return decisions


def _alternatives(decision: Decision) -> Sequence[Value]:
    """Return the values that may open different decisions; none for a number that can't."""
    if isinstance(decision, Categorical):
        return decision.values
    options = decision.options({})
    return options if len(options) <= COUNTS else ()


def _nearest(opened: Mapping[str, Mapping[str, frozenset[Value]]], path: str) -> Condition:
    """Return a decision's conditions without those that hold whenever another of them is asked."""
    implied = {above for parent in opened[path] for above in _above(opened, parent)}
    return tuple((parent, values) for parent, values in opened[path].items() if parent not in implied)


def _above(opened: Mapping[str, Mapping[str, frozenset[Value]]], path: str) -> Iterable[str]:
    for parent in opened[path]:
        yield parent
        yield from _above(opened, parent)


def _ordered(opened: Mapping[str, Mapping[str, frozenset[Value]]]) -> list[str]:
    """Return the paths, each after all that it depends on."""
    order: dict[str, None] = {}

    def visit(path: str) -> None:
        for parent in opened[path]:
            if parent not in order:
                visit(parent)
        order[path] = None

    for path in opened:
        visit(path)
    return list(order)
