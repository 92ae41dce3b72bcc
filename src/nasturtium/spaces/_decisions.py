"""Decision spaces: all that follows from a decision tree."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium._registry import tuples
from nasturtium.errors import UsageError
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import Choose, Decisions, Finite, Space
from nasturtium.spaces._decision import Categorical, Decision, Rule, Value, place_of
from nasturtium.spaces._tree import Ask, Block, Choice, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

COUNTABLE = 20_000
"""Up to how many architectures a space with rules is counted one by one."""


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
        """Return the space that also decides training hyper-parameters, such as the learning rate.

        Raises:
            UsageError: A value is no block.
        """
        return replace(self, hyperparameters=group_of(blocks).blocks)

    @final
    def training(self, architecture: Architecture) -> Mapping[str, Value]:
        """Return the training hyper-parameters by name, those that an option opened too."""
        if not self.hyperparameters:
            return {}
        prefix = "training."
        return {p.removeprefix(prefix): v for p, v in architecture.items() if p.startswith(prefix)}

    @cached_property
    def _trees(self) -> tuple[tuple[str, Block], ...]:
        """Every tree with the path at which it begins."""
        return (("", self.root), *((f"training.{name}", b) for name, b in self.hyperparameters))

    @cached_property
    def _flat(self) -> tuple[Decision, ...] | None:
        """The decisions, if they are the same for all architectures and free of rules."""
        if not self.is_fixed or any(tree.has_rule() for _, tree in self._trees):
            return None
        decisions: list[Decision] = []

        def ask(decision: Decision) -> Value:
            decisions.append(decision)
            return decision.at(0.0, {})

        for path, tree in self._trees:
            tree.decide(path, ask)
        return tuple(decisions)

    @property
    def is_fixed(self) -> bool:
        """Whether the same decisions are asked for all architectures."""
        return all(tree.is_fixed() for _, tree in self._trees)

    @property
    def is_uniform(self) -> bool:
        """Whether ``sample`` surely draws all architectures equally often: no decision depends on others."""
        return self._flat is not None and not self.limits and type(self)._sample is DecisionSpace._sample

    @cached_property
    def _open(self) -> tuple[Decision, ...]:
        """Those of the flat decisions that have an alternative."""
        return tuple(d for d in self._flat or () if not _is_settled(d, {}))

    def ask_all(self, ask: Ask) -> None:
        """Ask every decision in order, without checking the answers; see ``construct``."""
        if self._flat is not None:
            for decision in self._flat:
                ask(decision)
            return
        for path, tree in self._trees:
            tree.decide(path, ask)

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

        self.ask_all(ask)
        return Architecture(values)

    @final
    def trace(self, architecture: Architecture) -> list[tuple[Decision, Value]]:
        """Return decisions and values in order; see ``Decisions``."""
        steps: list[tuple[Decision, Value]] = []

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            del prefix
            if decision.path not in architecture:
                raise UsageError(f"the architecture must set {decision.path!r}, got {architecture.text}; add it.")
            steps.append((decision, architecture[decision.path]))
            return steps[-1][1]

        self.construct(choose)
        if len(steps) != len(architecture):
            extra = set(architecture) - {decision.path for decision, _ in steps}
            raise UsageError(f"an architecture sets only what is asked, got also {sorted(extra)}; drop them.")
        return steps

    @final
    def _read(self, data: Mapping[str, Any]) -> Architecture:
        """Return the architecture of JSON data, its decisions in their own order."""
        steps = self.trace(Architecture.from_json(data))
        return Architecture({decision.path: value for decision, value in steps})

    @final
    def _contains(self, architecture: Architecture) -> bool:
        try:
            self.trace(architecture)
        except UsageError:
            return False
        return True

    def _sample(self, rng: np.random.Generator) -> Architecture:
        """Draw every decision uniformly; a space whose rules would make that lopsided draws otherwise."""
        return self._drawn({}, rng)

    def _drawn(self, fixed: Mapping[str, Value], rng: np.random.Generator) -> Architecture:
        """Return an architecture with the fixed values where they are legal, else random ones."""
        draws = _uniforms(rng)
        values: dict[str, Value] = {}

        def ask(decision: Decision) -> Value:
            value: Value = fixed.get(decision.path, _MISSING)
            if value is _MISSING or not _is_legal(decision, value, values):
                value = decision.at(next(draws), values)
            values[decision.path] = value
            return value

        self.ask_all(ask)
        return Architecture(values)

    @final
    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one decision, uniformly among those with an alternative, to another legal value."""
        which, where = rng.random(2).tolist()
        if self._flat is not None:  # no change opens or forbids anything: the rest stays as it is
            if not self._open:
                return architecture
            chosen = self._open[int(which * len(self._open))]
            changed = chosen.other(architecture[chosen.path], where, {})
            return architecture.changed(chosen.path, changed)
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

        self.ask_all(ask)
        if not changeable:
            return architecture
        index = changeable[int(which * len(changeable))]
        decision = steps[index]
        before = {earlier.path: prefix[earlier.path] for earlier in steps[:index]}
        changed = decision.other(prefix[decision.path], where, before)
        return self._drawn({**prefix, decision.path: changed}, rng)

    @final
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of two parents; see ``Decisions``."""
        paths = [decision.path for decision, _ in self.trace(a)]

        def draw() -> Architecture:
            coins = rng.random(len(paths)).tolist()
            take = {p: a[p] for p, coin in zip(paths, coins, strict=True) if p not in b or coin < 0.5}
            return self._drawn({**b, **take}, rng)

        return self._within_limits(draw, rng)

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
            value: Value = fixed.get(decision.path, _MISSING)
            if value is _MISSING or not _is_legal(decision, value, prefix):
                return decision.at(0.0, prefix)
            return value

        return self.construct(choose)

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(path for start, tree in self._trees for path in tree.paths(start)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The paths of all decisions that the space can ask, in the order of the tree."""
        return self._columns

    @final
    def encode(self, architecture: Architecture) -> NDArray[np.float64]:
        """Return positions in [0, 1) by decision; see ``Decisions``."""
        prefix: dict[str, Value] = {}
        row = dict.fromkeys(self.columns, -1.0)
        for decision, value in self.trace(architecture):
            row[decision.path] = decision.position(value, prefix)
            prefix[decision.path] = value
        return np.array(list(row.values()))

    @cached_property
    def _size(self) -> float:
        bound = prod(tree.count() for _, tree in self._trees)
        if bound > COUNTABLE or not any(tree.has_rule() for _, tree in self._trees):
            return bound
        return sum(1 for _ in self._all())

    @property
    def size(self) -> float:
        """The number of architectures, limits ignored.

        Where rules forbid some, they are counted one by one, unless there would be more than
        ``COUNTABLE`` without rules: then that number is given, an upper bound.
        """
        return self._size

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
                    raise UsageError(
                        f"only finite spaces can be walked, got the real decision {decision.path!r}; make it a choice."
                    )
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
        return place_of(value, decision.values) is not None
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


def tree_of(space: DecisionSpace) -> Block:
    """Return the decision tree of a space that becomes part of another.

    Raises:
        UsageError: It has limits or training hyper-parameters, which a part can't have.
    """
    if space.limits or space.hyperparameters:
        kind = "limits" if space.limits else "training hyper-parameters"
        raise UsageError(
            f"limits and training hyper-parameters belong to the outermost space, got a part with {kind}; call "
            "limited(...) and with_training(...) on the whole."
        )
    return space.root


def choice(*options: Any, rule: Rule | None = None) -> Choice:
    """Return the decision for one of several options.

    Args:
        options: Plain values (lists count as tuples), ``option(...)``, operations, chains; nested
            at will.
        rule: ``rule(prefix, value)`` says whether a value is legal after the values chosen before.

    Raises:
        UsageError: There is no option, two are alike, one has no JSON form, or one is a space with
            limits or training hyper-parameters.

    Example:
        >>> choice("conv", "pool").count()
        2
    """
    blocks = (tree_of(o) if isinstance(o, DecisionSpace) else o for o in options)
    return Choice(tuples(list(blocks)), rule)


def skip(source: str) -> Choice:
    """Return the decision whether a layer also takes the output of an earlier place: False or True.

    Recurrent policies decide all skips into one place at once, from what they remember of both ends.

    Args:
        source: The start of the paths of the decisions about the earlier place; one about which nothing
            is decided, such as a stem, may have any other name.

    Example:
        >>> skip("layer_0").labels()
        (False, True)
    """
    return Choice((False, True), skip_from=source)
