"""A decision: one question that a decision space asks. There are two kinds, this file is both.

``Categorical`` has a list of values, which a rule may shorten; ``Interval`` is a number, real or
whole, between two ends, on a linear or a logarithmic scale. Both have the same methods, for who
need not tell them apart; who must asks ``isinstance``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, final

from nasturtium.errors import UsageError

Value = str | int | float | bool | tuple[Any, ...] | None
"""What a decision may be set to."""

Rule = Callable[[Mapping[str, Value], Value], bool]
"""Whether a value is legal, given the values chosen before."""


@final
@dataclass(frozen=True, slots=True)
class Categorical:
    """A decision with a list of values, which a rule may shorten.

    Args:
        path: The place's name.
        values: All values, in order.
        rule: Which of them are legal after the earlier choices; None means all.
        skip_from: Of a skip, the place whose output it takes or leaves: the start of the paths of the
            decisions about that place; None for other decisions.
    """

    path: str
    values: tuple[Value, ...]
    rule: Rule | None = None
    skip_from: str | None = None

    def options(self, prefix: Mapping[str, Value]) -> tuple[Value, ...]:
        """Return the legal values.

        Raises:
            UsageError: The rule leaves none.
        """
        if self.rule is None:
            return self.values
        legal = tuple(value for value in self.values if self.rule(prefix, value))
        if not legal:
            raise UsageError(
                f"a rule leaves at least one option, got none at {self.path!r} after {dict(prefix)}; loosen it."
            )
        return legal

    def at(self, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return the value at a position in [0, 1)."""
        options = self.options(prefix)
        return options[int(position * len(options))]

    def position(self, value: Value, prefix: Mapping[str, Value]) -> float:
        """Return the middle of the value's share of [0, 1)."""
        options = self.options(prefix)
        index = place_of(value, options)
        if index is None:
            raise UsageError(f"{self.path!r} is one of {list(options)}, got {value!r}; choose one of them.")
        return (index + 0.5) / len(options)

    def numbered(self, index: int, prefix: Mapping[str, Value]) -> Value:
        """Return the value of that index among all; if a rule forbids it, the legal one at its place.

        For optimizers that know one list of values and no rules.

        Example:
            >>> Categorical("x", (1, 2, 3, 4), lambda prefix, value: value % 2 == 0).numbered(2, {})
            4
        """
        value = self.values[index]
        if self.rule is None or self.rule(prefix, value):
            return value
        return self.at((index + 0.5) / len(self.values), prefix)

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return another legal value, uniformly for a uniform position."""
        options = self.options(prefix)
        if value not in options:
            return options[int(position * len(options))]
        if len(options) == 1:
            return value
        index = int(position * (len(options) - 1))
        return options[index + (index >= options.index(value))]  # those from the value itself on move up by one


@final
@dataclass(frozen=True, slots=True)
class Interval:
    """A decision for a number between two ends, both included.

    Args:
        path: The place's name.
        low: The smallest value.
        high: The greatest value.
        is_log: Whether equal ratios, not differences, are equally likely.
        is_integer: Whether only whole numbers count.
    """

    path: str
    low: float
    high: float
    is_log: bool
    is_integer: bool

    def options(self, prefix: Mapping[str, Value]) -> Sequence[Value]:
        """Return the whole numbers of the interval; nothing for a real one, unless it is a point."""
        del prefix
        if self.is_integer:
            return range(int(self.low), int(self.high) + 1)
        return (self.low,) if self.low == self.high else ()

    def _ends(self) -> tuple[float, float]:
        low, high = self.low, self.high
        if self.is_integer:
            low, high = low - 0.5, high + 0.5
        return (log(low), log(high)) if self.is_log else (low, high)

    def at(self, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return the number at a position in [0, 1)."""
        del prefix
        low, high = self._ends()
        raw = low + float(position) * (high - low)
        number = exp(raw) if self.is_log else raw
        if self.is_integer:
            return min(max(round(number), int(self.low)), int(self.high))
        return min(max(number, self.low), self.high)

    def position(self, value: Value, prefix: Mapping[str, Value]) -> float:
        """Return where a number lies in [0, 1)."""
        del prefix
        # A whole number is an int and a real one a float: 1 and 1.0 have different texts.
        number = value if type(value) is (int if self.is_integer else float) else None
        if number is None or not self.low <= number <= self.high:
            kind = "a whole number" if self.is_integer else "a real number"
            raise UsageError(f"{self.path!r} is {kind} in [{self.low:g}, {self.high:g}], got {value!r}; change it.")
        low, high = self._ends()
        raw = log(number) if self.is_log else number
        return min(max((raw - low) / (high - low), 0.0), 1 - 1e-12) if high > low else 0.0

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return another number: any other whole one, or a real one drawn anew."""
        if not self.is_integer:
            return self.at(position, prefix)
        low, high = int(self.low), int(self.high)
        if low == high:
            return value
        assert isinstance(value, int)
        number = low + int(position * (high - low))
        return number + (number >= value)  # all but the value itself: those from it on move up by one


Decision = Categorical | Interval
"""One question that a decision space asks, at a place that depends on earlier answers."""


def is_same(a: Value, b: Value) -> bool:
    """Return whether two values have one JSON text: ``1``, ``1.0`` and ``True`` differ.

    Example:
        >>> is_same((1, "x"), (1, "x")), is_same((1,), (True,))
        (True, False)
    """
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(is_same, a, b))
    return bool(a == b)


def place_of(value: Value, options: Sequence[Value]) -> int | None:
    """Return which of the options a value is, of which no two are equal; None if it is none."""
    try:
        index = options.index(value)
    except ValueError:
        return None
    return index if is_same(options[index], value) else None
