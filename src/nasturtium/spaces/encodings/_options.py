"""Every decision that a space can ask, with every value that it can have."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces._base import Decisions
from nasturtium.spaces._decision import Categorical, Decision, Value, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.spaces._base import Space

MOST_TRIED = 64
"""Of a whole number that opens decisions, so many values are tried; of a larger range the ends."""


@lru_cache(maxsize=64)
def all_decisions(space: Space) -> Mapping[str, Decision]:
    """Return the decisions by path, in the order of ``space.columns``.

    Where a path is asked with several lists of values, they are joined; a rule is left out. Found
    by trying every value of every decision once, the decisions around it at their first values.

    Raises:
        RequirementError: The space makes no decisions.
    """
    if not isinstance(space, Decisions):
        raise RequirementError(f"this encoding needs decisions, got {type(space).__name__}; use weisfeiler_lehman.")
    found: dict[str, Decision] = {}
    waiting: list[dict[str, Value]] = [{}]
    while waiting:
        forced = waiting.pop()
        for decision in _asked(space, forced):
            known = found.get(decision.path)
            fresh = [v for v in _tried(decision) if known is None or place_of(v, _tried(known)) is None]
            if not fresh:
                continue
            found[decision.path] = _joined(known, decision)
            waiting += [{**forced, decision.path: value} for value in fresh]
    return {path: found[path] for path in space.columns if path in found}


def _asked(space: Decisions, forced: Mapping[str, Value]) -> list[Decision]:
    """Return the decisions on the way with some values forced, the others first; none if a rule forbids it."""
    asked: list[Decision] = []

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        asked.append(decision)
        return forced[decision.path] if decision.path in forced else decision.at(0.0, prefix)

    try:
        space.construct(choose)
    except UsageError:
        return []
    return asked


def _tried(decision: Decision) -> tuple[Value, ...]:
    if isinstance(decision, Categorical):
        return decision.values
    options = tuple(decision.options({}))
    return options if 0 < len(options) <= MOST_TRIED else (decision.at(0.0, {}), decision.at(1 - 1e-12, {}))


def _joined(known: Decision | None, new: Decision) -> Decision:
    if isinstance(known, Categorical) and isinstance(new, Categorical):
        return replace(known, values=(*known.values, *(v for v in new.values if place_of(v, known.values) is None)))
    return replace(new, rule=None) if isinstance(new, Categorical) else new
