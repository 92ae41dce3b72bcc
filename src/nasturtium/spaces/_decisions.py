"""The decision tree: choices, subsets, numbers and repeats, and all that follows from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import comb, exp, inf, log, prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import UsageError
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import Choose, Decision, Decisions, Finite, Space, Value

if TYPE_CHECKING:
    from typing_extensions import Self

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
            raise UsageError(f"a rule leaves at least one option, got none at {self.path!r} after {dict(prefix)}.")
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
        raise UsageError(f"{self.path!r} is one of {list(options)}, got {value!r}; choose one of them.")

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
        """Return the whole numbers of the interval, or nothing for a real one."""
        del prefix
        return range(int(self.low), int(self.high) + 1) if self.is_integer else ()

    def _ends(self) -> tuple[float, float]:
        low, high = (self.low - 0.5, self.high + 0.5) if self.is_integer else (self.low, self.high)
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
        number = isinstance(value, int if self.is_integer else (int, float)) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:  # type: ignore[operator]
            kind = "a whole number" if self.is_integer else "a number"
            raise UsageError(f"{self.path!r} is {kind} in [{self.low:g}, {self.high:g}], got {value!r}; change it.")
        low, high = self._ends()
        raw = log(value) if self.is_log else float(value)  # type: ignore[arg-type]
        return min((raw - low) / (high - low), 1 - 1e-12) if high > low else 0.0

    def other(self, value: Value, position: float, prefix: Mapping[str, Value]) -> Value:
        """Return another number: any other whole one, or a real one drawn anew."""
        if not self.is_integer:
            return self.at(position, prefix)
        rest = [option for option in self.options(prefix) if option != value]
        return rest[int(position * len(rest))] if rest else value


Ask = Callable[[Decision], Value]


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


def as_block(value: Any) -> Block | None:
    """Return the block that an argument of ``choice`` or ``chain`` stands for, None for a plain value."""
    if isinstance(value, Block):
        return value
    if isinstance(value, DecisionSpace):
        return value.root
    return None


def label_of(option: Any) -> Value:
    """Return the value that stands for an option in the architecture."""
    return option.label if isinstance(option, Labeled) else option


class Labeled(Block):
    """A block that can stand as an option of a choice: it has a short name."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The option's value in the architecture."""


@final
@dataclass(frozen=True)
class Choice(Block):
    """One of several options; an option may open decisions of its own."""

    values: tuple[Any, ...]
    rule: Rule | None = None
    _asked: dict[str, Categorical] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the options have distinct labels."""
        labels = [label_of(option) for option in self.values]
        if not labels or len(set(map(repr, labels))) != len(labels):
            raise UsageError(f"a choice has at least one option and no two alike, got {labels}; give other options.")
        for option in self.values:
            if isinstance(option, Block) and not isinstance(option, Labeled):
                raise UsageError(f"an option is a value or an op, got {option!r}; wrap it in chain(...).")

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
        return self.rule is not None or any(isinstance(o, Block) and o.has_rule() for o in self.values)


@final
@dataclass(frozen=True)
class Subset(Block):
    """Some of several values, as a tuple in their given order."""

    values: tuple[Value, ...]
    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not 0 <= self.at_least <= self.at_most <= len(self.values):
            raise UsageError(
                f"0 <= at_least <= at_most <= {len(self.values)} options, got {self.at_least} and {self.at_most}."
            )

    def decide(self, path: str, ask: Ask) -> None:
        """Ask which values."""
        sizes = range(self.at_least, self.at_most + 1)
        ask(Categorical(path, tuple(c for size in sizes for c in combinations(self.values, size))))

    def count(self) -> float:
        """Return the number of subsets."""
        return sum(comb(len(self.values), size) for size in range(self.at_least, self.at_most + 1))


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
        whole = not self.is_integer or (self.low == int(self.low) and self.high == int(self.high))
        if not self.low <= self.high or (self.is_log and self.low <= 0) or not whole:
            raise UsageError(f"low <= high (and low > 0 for a log scale), got [{self.low}, {self.high}]; swap them.")

    def decide(self, path: str, ask: Ask) -> None:
        """Ask for the number."""
        ask(Interval(path, self.low, self.high, self.is_log, self.is_integer))

    def count(self) -> float:
        """Return how many whole numbers there are, or ``inf``."""
        return self.high - self.low + 1 if self.is_integer else (inf if self.high > self.low else 1)


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


def choice(*options: Any, rule: Rule | None = None) -> Choice:
    """Return the decision for one of several options.

    Args:
        options: Plain values, operations, chains, spaces; nested at will.
        rule: ``rule(prefix, value)`` says whether a value is legal after the values chosen before.

    Example:
        >>> space = decisions(op=choice("conv", "pool"), kernel=choice(3, 5))
        >>> space.size
        4
    """
    return Choice(options, rule)


def subset(*options: Value, at_least: int = 0, at_most: int | None = None) -> Subset:
    """Return the decision for some of several values, a tuple in the given order."""
    return Subset(options, at_least, len(options) if at_most is None else at_most)


def integer(low: int, high: int, *, log: bool = False) -> Number:
    """Return the decision for a whole number from ``low`` to ``high``, both included."""
    return Number(low, high, log, is_integer=True)


def real(low: float, high: float, *, log: bool = False) -> Number:
    """Return the decision for a real number from ``low`` to ``high``."""
    return Number(low, high, log, is_integer=False)


@dataclass(frozen=True, kw_only=True)
class DecisionSpace(Space, Decisions, Finite):
    """A space that is a decision tree; a subclass only says which.

    Args:
        hyperparameters: (name, block) pairs of training hyper-parameters that are searched
            together with the architecture; set them by ``with_training``.
    """

    hyperparameters: tuple[tuple[str, Block], ...] = ()

    @property
    @abstractmethod
    def root(self) -> Block:
        """The decision tree of the architecture."""

    @final
    def with_training(self, **blocks: Block) -> Self:
        """Return the space that also decides training hyper-parameters, such as the learning rate."""
        return replace(self, hyperparameters=tuple(blocks.items()))

    @final
    def training(self, architecture: Architecture) -> Mapping[str, Value]:
        """Return the training hyper-parameters by name."""
        return {name: architecture[f"training.{name}"] for name, _ in self.hyperparameters}

    def _ask_all(self, ask: Ask) -> None:
        self.root.decide("", ask)
        for name, block in self.hyperparameters:
            block.decide(f"training.{name}", ask)

    @final
    def construct(self, choose: Choose) -> Architecture:
        """Return the architecture of the answers; see ``Decisions``."""
        values: dict[str, Value] = {}
        prefix = MappingProxyType(values)

        def ask(decision: Decision) -> Value:
            value = choose(decision, prefix)
            decision.position(value, prefix)
            values[decision.path] = value
            return value

        self._ask_all(ask)
        return Architecture(values)

    @final
    def trace(self, architecture: Architecture) -> list[tuple[Decision, Value]]:
        """Return decisions and values in order; see ``Decisions``."""
        steps: list[tuple[Decision, Value]] = []

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            del prefix
            if decision.path not in architecture:
                raise UsageError(f"the architecture must set {decision.path!r}, got {architecture.text}.")
            steps.append((decision, architecture[decision.path]))
            return steps[-1][1]

        self.construct(choose)
        if len(steps) != len(architecture):
            extra = set(architecture) - {decision.path for decision, _ in steps}
            raise UsageError(f"an architecture sets only what is asked, got also {sorted(extra)}; drop them.")
        return steps

    @final
    def _contains(self, architecture: Architecture) -> bool:
        try:
            self.trace(architecture)
        except UsageError:
            return False
        return True

    @final
    def _sample(self, rng: np.random.Generator) -> Architecture:
        return self._drawn({}, rng)

    def _drawn(self, fixed: Mapping[str, Value], rng: np.random.Generator) -> Architecture:
        """Return an architecture with the fixed values where they are legal, else random ones."""
        draws = _uniforms(rng)
        values: dict[str, Value] = {}

        def ask(decision: Decision) -> Value:
            value = fixed.get(decision.path, _MISSING)
            if value is _MISSING or not _is_legal(decision, value, values):
                value = decision.at(next(draws), values)
            values[decision.path] = value
            return value

        self._ask_all(ask)
        return Architecture(values)

    @final
    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one decision, uniformly among those with an alternative, to another legal value."""
        steps: list[Decision] = []
        changeable: list[int] = []
        prefix: dict[str, Value] = {}

        def ask(decision: Decision) -> Value:
            if not _is_settled(decision, prefix):
                changeable.append(len(steps))
            steps.append(decision)
            value: Value = architecture[decision.path]
            prefix[decision.path] = value
            return value

        self._ask_all(ask)
        if not changeable:
            return architecture
        which, where = rng.random(2).tolist()
        index = changeable[int(which * len(changeable))]
        decision = steps[index]
        before = {earlier.path: prefix[earlier.path] for earlier in steps[:index]}
        changed = decision.other(prefix[decision.path], where, before)
        return self._drawn({**prefix, decision.path: changed}, rng)

    @final
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of two parents; a decision that neither has is drawn."""
        take = {path: value for path, value in a.items() if path not in b or rng.random() < 0.5}
        return self._drawn({**b, **take}, rng)

    @final
    def neighbors(self, architecture: Architecture) -> list[Architecture]:
        """Return every architecture one finite decision away; see ``Decisions``."""
        found = []
        prefix: dict[str, Value] = {}
        for decision, value in self.trace(architecture):
            for option in decision.options(prefix):
                if option != value:
                    found.append(self._completed({**architecture, decision.path: option}))
            prefix[decision.path] = value
        return [a for a in found if self.is_feasible(a)]

    def _completed(self, fixed: Mapping[str, Value]) -> Architecture:
        """Return the architecture with the fixed values where legal, else the first legal ones."""

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            value = fixed.get(decision.path, _MISSING)
            return value if value is not _MISSING and _is_legal(decision, value, prefix) else decision.at(0.0, prefix)

        return self.construct(choose)

    @final
    def encode(self, architecture: Architecture) -> NDArray[np.float64]:
        """Return positions in [0, 1) by decision; see ``Decisions``."""
        prefix: dict[str, Value] = {}
        row = {path: -1.0 for path in self._completed({})}
        for decision, value in self.trace(architecture):
            row[decision.path] = decision.position(value, prefix)
            prefix[decision.path] = value
        return np.array([row[path] for path in sorted(row)])

    @property
    def size(self) -> float:
        """The number of architectures, limits ignored; counted one by one if there are rules."""
        trees = (self.root, *(block for _, block in self.hyperparameters))
        if any(tree.has_rule() for tree in trees):
            return sum(1 for _ in self._all())
        return prod(tree.count() for tree in trees)

    @final
    def __iter__(self) -> Iterator[Architecture]:
        """Yield every feasible architecture in the order of the options."""
        return (architecture for architecture in self._all() if self.is_feasible(architecture))

    def _all(self) -> Iterator[Architecture]:
        """Walk the tree by counting up the last decision that still has options left."""
        script: list[int] = []
        while True:
            widths: list[int] = []

            def choose(decision: Decision, prefix: Mapping[str, Value], widths: list[int] = widths) -> Value:
                options = decision.options(prefix)
                if not options:
                    raise UsageError(f"only finite spaces can be walked, got the real decision {decision.path!r}.")
                widths.append(len(options))
                if len(widths) > len(script):
                    script.append(0)
                return options[script[len(widths) - 1]]

            yield self.construct(choose)
            while script and script[-1] + 1 == widths[len(script) - 1]:
                script.pop()
            if not script:
                return
            script[-1] += 1


_MISSING: Any = object()


def _is_legal(decision: Decision, value: Value, prefix: Mapping[str, Value]) -> bool:
    if isinstance(decision, Categorical) and decision.rule is None:
        return value in decision.values
    try:
        decision.position(value, prefix)
    except UsageError:
        return False
    return True


def _is_settled(decision: Decision, prefix: Mapping[str, Value]) -> bool:
    """Whether a decision has a single legal value."""
    return len(decision.options(prefix)) == 1


def _uniforms(rng: np.random.Generator, n: int = 16) -> Iterator[float]:
    """Yield uniform draws; one call to the generator gives several, since a call costs most."""
    while True:
        yield from rng.random(n).tolist()


@final
@dataclass(frozen=True, kw_only=True)
class NamedDecisions(DecisionSpace):
    """A space of named decisions without networks; made by ``decisions``."""

    blocks: tuple[tuple[str, Block], ...] = ()

    @property
    def root(self) -> Block:
        """The decisions in the given order."""
        return Group(self.blocks)


def decisions(**blocks: Block) -> NamedDecisions:
    """Return a space of named decisions without networks: for tables, simulators, anything.

    Example:
        >>> space = decisions(layer_0=choice("identity", "mb3_k3"), width=integer(1, 3))
        >>> space.sample(np.random.default_rng(0))["layer_0"] in ("identity", "mb3_k3")
        True
        >>> [a.text for a in space][:2]
        ['{"layer_0":"identity","width":1}', '{"layer_0":"identity","width":2}']
    """
    for name, block in blocks.items():
        if not isinstance(block, Block):
            raise UsageError(f"a decision is choice(...), integer(...) or the like, got {name}={block!r}.")
    return NamedDecisions(blocks=tuple(blocks.items()))
