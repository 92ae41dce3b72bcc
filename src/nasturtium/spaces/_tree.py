"""The pieces of a decision tree: choices, subsets, numbers, and groups of them.

A block is a frozen dataclass and a registered component, so that spaces made of blocks are stored
and made again; with a rule, which is a function, they are opaque.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import inf, isfinite, prod
from typing import Any, final

from nasturtium._registry import Registry, tuples
from nasturtium.errors import UsageError
from nasturtium.spaces._decision import Categorical, Decision, Interval, Rule, Value

Ask = Callable[[Decision], Value]


class Block(ABC):
    """A piece of a decision tree."""

    @abstractmethod
    def decide(self, path: str, ask: Ask) -> None:
        """Ask this piece's decisions in order; ``path`` is the piece's place."""

    @abstractmethod
    def paths(self, path: str) -> Iterator[str]:
        """Yield the path of every decision that ``decide`` may ask, whatever the answers are."""

    @abstractmethod
    def count(self) -> float:
        """Return the number of ways to decide, rules ignored; ``inf`` if a decision is real."""

    def has_rule(self) -> bool:
        """Return whether a rule can shorten an option list, so that counting must enumerate."""
        return False

    def is_fixed(self) -> bool:
        """Return whether the same decisions are asked whatever the answers are."""
        return False


BLOCKS: Registry[Block] = Registry("block", "nasturtium.blocks")
"""The kinds of blocks, for stored spaces; the functions that make them have names of their own."""


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
@BLOCKS.register("choice")
@dataclass(frozen=True)
class Choice(Block):
    """One of several options; an option may open decisions of its own."""

    values: tuple[Any, ...]
    rule: Rule | None = None
    skip_from: str | None = None
    _asked: dict[str, Categorical] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that there are options and no two are alike."""
        labels = self.labels()
        blocks = [option for option in self.values if isinstance(option, Block)]
        has_twins = any(block in blocks[:i] for i, block in enumerate(blocks))
        if not labels or len(set(labels)) != len(labels) or has_twins:  # 1, 1.0 and True are alike
            raise UsageError(
                f"a choice has at least one option and no two alike, got {list(labels)}; give other options."
            )
        if self.skip_from is not None and labels != (False, True):
            raise UsageError(f"a skip is left (False) or taken (True), got {list(labels)}; use skip(...).")

    def labels(self) -> tuple[Value, ...]:
        """Return the value that stands for each option.

        Of operations and chains that differ only in what they leave open, the second has ``#2``
        behind its label, and so on; an ``option(...)`` keeps the name that it was given.
        """
        found: list[Value] = []
        seen: Counter[Value] = Counter()
        for option in self.values:
            label = label_of(option)
            if isinstance(option, Labeled) and not isinstance(option, Option):
                seen[label] += 1
                label = label if seen[label] == 1 else f"{label}#{seen[label]}"
            found.append(label)
        return tuple(found)

    def decide(self, path: str, ask: Ask) -> None:
        """Ask which option, then the option's own decisions."""
        decision = self._asked.get(path)
        if decision is None:
            decision = self._asked[path] = Categorical(path, self.labels(), self.rule, self.skip_from)
        value = ask(decision)
        option = self.values[decision.values.index(value)]
        if isinstance(option, Block):
            option.decide(f"{path}.{value}", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield this decision's path, then those of the options."""
        yield path
        for label, option in zip(self.labels(), self.values, strict=True):
            if isinstance(option, Block):
                yield from option.paths(f"{path}.{label}")

    def count(self) -> float:
        """Return the sum over the options."""
        return sum(option.count() if isinstance(option, Block) else 1 for option in self.values)

    def has_rule(self) -> bool:
        """Return whether this choice or an option has a rule."""
        return self.rule is not None or any(isinstance(option, Block) and option.has_rule() for option in self.values)

    def is_fixed(self) -> bool:
        """Return whether every option is a plain value."""
        return not any(isinstance(option, Block) for option in self.values)


@final
@BLOCKS.register("subset")
@dataclass(frozen=True)
class Subset(Block):
    """Some of several options, as a tuple in their given order; each may open decisions of its own."""

    values: tuple[Any, ...]
    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        """Check options and bounds."""
        labels = self._labels
        if len(set(labels)) != len(labels):
            raise UsageError(f"a subset's options differ, got {list(labels)}; drop one.")
        if not 0 <= self.at_least <= self.at_most <= len(self.values):
            raise UsageError(
                f"0 <= at_least <= at_most <= {len(self.values)} options, got {self.at_least} and "
                f"{self.at_most}; swap or lower them."
            )

    def decide(self, path: str, ask: Ask) -> None:
        """Ask which options, then the decisions of each one taken."""
        chosen = ask(Categorical(path, self._options))
        assert isinstance(chosen, tuple)
        for label, option in self._blocks:
            if label in chosen:
                option.decide(f"{path}.{label}", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield this decision's path, then those of the options."""
        yield path
        for label, option in self._blocks:
            yield from option.paths(f"{path}.{label}")

    @cached_property
    def _labels(self) -> tuple[Value, ...]:
        return tuple(label_of(value) for value in self.values)

    @cached_property
    def _blocks(self) -> tuple[tuple[Value, Block], ...]:
        pairs = zip(self._labels, self.values, strict=True)
        return tuple((label, option) for label, option in pairs if isinstance(option, Block))

    @cached_property
    def _options(self) -> tuple[Value, ...]:
        sizes = range(self.at_least, self.at_most + 1)
        return tuple(chosen for size in sizes for chosen in combinations(self._labels, size))

    def count(self) -> float:
        """Return the sum over the subsets of the product over their options."""
        ways: list[float] = [1]  # ways[k]: to take k of the options so far and decide what they open
        for option in self.values:
            n = option.count() if isinstance(option, Block) else 1
            ways = [old + n * taken for old, taken in zip([*ways, 0], [0, *ways], strict=True)]
        return sum(ways[self.at_least : self.at_most + 1])

    def has_rule(self) -> bool:
        """Return whether an option has a rule."""
        return any(option.has_rule() for _, option in self._blocks)

    def is_fixed(self) -> bool:
        """Return whether every option is a plain value."""
        return not self._blocks


@final
@BLOCKS.register("number")
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
                f"low <= high, both finite (and low > 0 for a log scale), got [{self.low}, {self.high}]; change them."
            )
        if self.is_integer and (self.low != int(self.low) or self.high != int(self.high)):
            raise UsageError(f"an integer's ends are whole, got [{self.low}, {self.high}]; use real(...).")

    def decide(self, path: str, ask: Ask) -> None:
        """Ask for the number."""
        ask(Interval(path, self.low, self.high, self.is_log, self.is_integer))

    def paths(self, path: str) -> Iterator[str]:
        """Yield the path of its one decision."""
        yield path

    def count(self) -> float:
        """Return how many whole numbers there are, or ``inf``."""
        if self.is_integer:
            return self.high - self.low + 1
        return inf if self.high > self.low else 1

    def is_fixed(self) -> bool:
        """Return True: it is one decision."""
        return True


@final
@BLOCKS.register("group")
@dataclass(frozen=True)
class Group(Block):
    """Named blocks, decided one after the other."""

    blocks: tuple[tuple[str, Block], ...]

    def decide(self, path: str, ask: Ask) -> None:
        """Ask each block's decisions."""
        for name, block in self.blocks:
            block.decide(f"{path}.{name}" if path else name, ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield each block's paths."""
        for name, block in self.blocks:
            yield from block.paths(f"{path}.{name}" if path else name)

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
@BLOCKS.register("option")
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

    def paths(self, path: str) -> Iterator[str]:
        """Yield the paths of the decisions that the option opens."""
        yield from self.group.paths(path)

    def count(self) -> float:
        """Return the product over the decisions."""
        return self.group.count()

    def has_rule(self) -> bool:
        """Return whether a decision has a rule."""
        return self.group.has_rule()


def option(name: str, **blocks: Block) -> Option:
    """Return an option of a choice that opens named decisions, such as an optimizer's settings.

    Example:
        >>> option("adam", beta=real(0.8, 0.99), warmup=integer(0, 4)).label
        'adam'
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
                f"a decision is choice(...), integer(...) or the like, got {name}={block!r}; wrap it in choice(...)."
            )
    return Group(tuple(blocks.items()))


def subset(*options: Any, at_least: int = 0, at_most: int | None = None) -> Subset:
    """Return the decision for some of several options, a tuple in the given order.

    Args:
        options: Plain values (lists count as tuples) or ``option(...)``, whose decisions are asked
            if it is taken.
        at_least: How many are taken at least.
        at_most: How many are taken at most; None means all.
    """
    return Subset(tuples(list(options)), at_least, len(options) if at_most is None else at_most)


def integer(low: int, high: int, *, log: bool = False) -> Number:
    """Return the decision for a whole number from ``low`` to ``high``, both included."""
    return Number(low, high, log, is_integer=True)


def real(low: float, high: float, *, log: bool = False) -> Number:
    """Return the decision for a real number from ``low`` to ``high``."""
    return Number(float(low), float(high), log, is_integer=False)
