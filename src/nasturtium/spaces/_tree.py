"""The pieces of a decision tree: choices, subsets, numbers, and groups of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import comb, exp, inf, isfinite, log, prod
from typing import Any, final

from nasturtium._registry import tuples
from nasturtium.errors import UsageError
from nasturtium.spaces._base import Decision, Value

Rule = Callable[[Mapping[str, Value], Value], bool]
"""Whether a value is legal, given the values chosen before."""

Ask = Callable[[Decision], Value]


@final
@dataclass(frozen=True, slots=True)
class Categorical:
    """A decision with a list of values, which a rule may shorten.

    Args:
        path: The place's name.
        values: All values, in order.
        rule: Which of them are legal after the earlier choices; None means all.
    """

    path: str
    values: tuple[Value, ...]
    rule: Rule | None = None

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
                f"a rule leaves at least one option, got none at {self.path!r} after "
                f"{dict(prefix)}; loosen it."
            )
        return legal

    def at(self, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return the value at a position in [0, 1)."""
        options = self.options(prefix)
        return options[int(position * len(options))]

    def position(self, value: Value, prefix: Mapping[str, Value]) -> float:
        """Return the middle of the value's share of [0, 1)."""
        options = self.options(prefix)
        for index, option in enumerate(options):
            if option == value and type(option) is type(value):
                return (index + 0.5) / len(options)
        raise UsageError(
            f"{self.path!r} is one of {list(options)}, got {value!r}; choose one of them."
        )

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return another legal value, uniformly for a uniform position."""
        rest = [option for option in self.options(prefix) if option != value]
        return rest[int(position * len(rest))] if rest else value


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
        raw = low + position * (high - low)
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
            raise UsageError(
                f"{self.path!r} is {kind} in [{self.low:g}, {self.high:g}], got {value!r}; change it."
            )
        low, high = self._ends()
        raw = log(number) if self.is_log else number
        return min(max((raw - low) / (high - low), 0.0), 1 - 1e-12) if high > low else 0.0

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return another number: any other whole one, or a real one drawn anew."""
        if not self.is_integer:
            return self.at(position, prefix)
        rest = [option for option in self.options(prefix) if option != value]
        return rest[int(position * len(rest))] if rest else value


class Block(ABC):
    """A piece of a decision tree."""

    @abstractmethod
    def decide(self, path: str, ask: Ask) -> None:
        """Ask this piece's decisions in order; ``path`` is the piece's place."""

    @abstractmethod
    def count(self) -> float:
        """Return the number of ways to decide, rules ignored; ``inf`` if a decision is real."""

    def has_rule(self) -> bool:
        """Return whether a rule can shorten an option list, so that counting must enumerate."""
        return False

    def is_fixed(self) -> bool:
        """Return whether the same decisions are asked whatever the answers are."""
        return False


class Labeled(Block):
    """A block that can stand as an option of a choice: it has a short name."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The option's value in the architecture."""


def label_of(option: Any) -> Value:
    """Return the value that stands for an option in the architecture.

    Raises:
        UsageError: The option is neither a block with a label nor a JSON value.
    """
    if isinstance(option, Labeled):
        return option.label
    if not is_value(option):
        raise UsageError(
            f"an option is a string, a number, a bool, None, a tuple of these or an op, got "
            f"{option!r}; name it by a string, or wrap it in chain(...)."
        )
    value: Value = option
    return value


def is_value(value: Any) -> bool:
    """Return whether a decision may be set to a value: its JSON text gives back the same."""
    if type(value) is tuple:
        return all(is_value(item) for item in value)
    if type(value) is float:
        return isfinite(value)
    return value is None or type(value) in (str, int, bool)


@final
@dataclass(frozen=True)
class Choice(Block):
    """One of several options; an option may open decisions of its own."""

    values: tuple[Any, ...]
    rule: Rule | None = None
    _asked: dict[str, Categorical] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Check that the options have distinct labels."""
        labels = self.labels()
        if not labels or len(set(labels)) != len(labels):  # 1, 1.0 and True are alike
            raise UsageError(
                f"a choice has at least one option and no two alike, got {list(labels)}; "
                "give other options."
            )

    def labels(self) -> tuple[Value, ...]:
        """Return the value that stands for each option."""
        return tuple(label_of(option) for option in self.values)

    def decide(self, path: str, ask: Ask) -> None:
        """Ask which option, then the option's own decisions."""
        decision = self._asked.get(path)
        if decision is None:
            decision = self._asked[path] = Categorical(path, self.labels(), self.rule)
        value = ask(decision)
        option = self.values[decision.values.index(value)]
        if isinstance(option, Block):
            option.decide(f"{path}.{value}", ask)

    def count(self) -> float:
        """Return the sum over the options."""
        return sum(option.count() if isinstance(option, Block) else 1 for option in self.values)

    def has_rule(self) -> bool:
        """Return whether this choice or an option has a rule."""
        return self.rule is not None or any(
            isinstance(option, Block) and option.has_rule() for option in self.values
        )

    def is_fixed(self) -> bool:
        """Return whether every option is a plain value."""
        return not any(isinstance(option, Block) for option in self.values)


@final
@dataclass(frozen=True)
class Subset(Block):
    """Some of several values, as a tuple in their given order."""

    values: tuple[Value, ...]
    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        """Check values and bounds."""
        labels = [label_of(value) for value in self.values]
        if len(set(labels)) != len(labels):
            raise UsageError(f"a subset's options differ, got {labels}; drop one.")
        if not 0 <= self.at_least <= self.at_most <= len(self.values):
            raise UsageError(
                f"0 <= at_least <= at_most <= {len(self.values)} options, got {self.at_least} and "
                f"{self.at_most}; swap or lower them."
            )

    def decide(self, path: str, ask: Ask) -> None:
        """Ask which values."""
        ask(Categorical(path, self._options))

    @cached_property
    def _options(self) -> tuple[Value, ...]:
        sizes = range(self.at_least, self.at_most + 1)
        return tuple(chosen for size in sizes for chosen in combinations(self.values, size))

    def count(self) -> float:
        """Return the number of subsets."""
        return sum(comb(len(self.values), size) for size in range(self.at_least, self.at_most + 1))

    def is_fixed(self) -> bool:
        """Return True: it is one decision."""
        return True


@final
@dataclass(frozen=True)
class Number(Block):
    """A number between two ends."""

    low: float
    high: float
    is_log: bool
    is_integer: bool

    def __post_init__(self) -> None:
        """Check the ends."""
        is_number = isfinite(self.low) and isfinite(self.high) and self.low <= self.high
        if not is_number or (self.is_log and self.low <= 0):
            raise UsageError(
                f"low <= high, both finite (and low > 0 for a log scale), got [{self.low}, "
                f"{self.high}]; change them."
            )
        if self.is_integer and (self.low != int(self.low) or self.high != int(self.high)):
            raise UsageError(
                f"an integer's ends are whole, got [{self.low}, {self.high}]; use real(...)."
            )

    def decide(self, path: str, ask: Ask) -> None:
        """Ask for the number."""
        ask(Interval(path, self.low, self.high, self.is_log, self.is_integer))

    def count(self) -> float:
        """Return how many whole numbers there are, or ``inf``."""
        if self.is_integer:
            return self.high - self.low + 1
        return inf if self.high > self.low else 1

    def is_fixed(self) -> bool:
        """Return True: it is one decision."""
        return True


@final
@dataclass(frozen=True)
class Group(Block):
    """Named blocks, decided one after the other."""

    blocks: tuple[tuple[str, Block], ...]

    def decide(self, path: str, ask: Ask) -> None:
        """Ask each block's decisions."""
        for name, block in self.blocks:
            block.decide(f"{path}.{name}" if path else name, ask)

    def count(self) -> float:
        """Return the product over the blocks."""
        return prod(block.count() for _, block in self.blocks)

    def has_rule(self) -> bool:
        """Return whether a block has a rule."""
        return any(block.has_rule() for _, block in self.blocks)

    def is_fixed(self) -> bool:
        """Return whether every block is fixed."""
        return all(block.is_fixed() for _, block in self.blocks)


@final
@dataclass(frozen=True)
class Option(Labeled):
    """An option of a choice that opens decisions of its own; made by ``option``."""

    name: str
    group: Group

    @property
    def label(self) -> str:
        """The option's value in the architecture."""
        return self.name

    def decide(self, path: str, ask: Ask) -> None:
        """Ask the decisions that the option opens."""
        self.group.decide(path, ask)

    def count(self) -> float:
        """Return the product over the decisions."""
        return self.group.count()

    def has_rule(self) -> bool:
        """Return whether a decision has a rule."""
        return self.group.has_rule()


def choice(*options: Any, rule: Rule | None = None) -> Choice:
    """Return the decision for one of several options.

    Args:
        options: Plain values (lists count as tuples), ``option(...)``, operations, chains; nested
            at will.
        rule: ``rule(prefix, value)`` says whether a value is legal after the values chosen before.

    Raises:
        UsageError: There is no option, two are alike, or one has no JSON form.

    Example:
        >>> choice("conv", "pool").count()
        2
    """
    return Choice(tuples(list(options)), rule)


def option(name: str, **blocks: Block) -> Option:
    """Return an option of a choice that opens named decisions, such as an optimizer's settings.

    Example:
        >>> choice("sgd", option("adam", beta=choice(0.9, 0.99), warmup=integer(0, 4))).count()
        11
    """
    return Option(name, group_of(blocks))


def group_of(blocks: Mapping[str, Any]) -> Group:
    """Return the group of named blocks.

    Raises:
        UsageError: A value is no block.
    """
    for name, block in blocks.items():
        if not isinstance(block, Block):
            raise UsageError(
                f"a decision is choice(...), integer(...) or the like, got {name}={block!r}; "
                "wrap it in choice(...)."
            )
    return Group(tuple(blocks.items()))


def subset(*options: Value, at_least: int = 0, at_most: int | None = None) -> Subset:
    """Return the decision for some of several values, a tuple in the given order."""
    return Subset(tuples(list(options)), at_least, len(options) if at_most is None else at_most)


def integer(low: int, high: int, *, log: bool = False) -> Number:
    """Return the decision for a whole number from ``low`` to ``high``, both included."""
    return Number(low, high, log, is_integer=True)


def real(low: float, high: float, *, log: bool = False) -> Number:
    """Return the decision for a real number from ``low`` to ``high``."""
    return Number(float(low), float(high), log, is_integer=False)
