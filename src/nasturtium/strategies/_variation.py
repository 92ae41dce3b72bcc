"""Variation: how a child differs from its parents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium._registry import Registry
from nasturtium.errors import NoFeasibleNeighbor, RequirementError, UsageError
from nasturtium.spaces import Architecture, Decisions, Edits, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.graphs import Edit
    from nasturtium.spaces import Choose, Decision, Value

REDRAWS = 100
"""How often a forced variation is drawn until the candidate differs."""


class Variation(ABC):
    """Makes children.

    Class attributes:
        n_parents: The number of parents of a child.
        litter: The number of children that one draw of parents has; they are born one after the other.
    """

    n_parents: ClassVar[int] = 1
    litter: ClassVar[int] = 1

    @abstractmethod
    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return a child within the limits.

        Args:
            space: The space.
            parents: ``n_parents`` architectures.
            place: Which child of the litter; all children of one get the same generator.
            rng: Draws.

        Raises:
            NoFeasibleNeighbor: There is none within the limits.
        """

    def founder(self, space: Space, rng: np.random.Generator) -> Architecture:
        """Return a member of the first population within the limits; by default a random one."""
        return space.sample(rng)

    def inherited(self, losses: NDArray[np.float64]) -> Variation:
        """Return how children of a parent with these losses, shape ``(n_objectives,)``, vary; by default alike."""
        del losses
        return self

    def edits(self, space: Space, parent: Architecture, child: Architecture) -> tuple[Edit, ...]:
        """Return the edits that lead from the first parent to a child, for inheriting weights."""
        del space, parent, child
        return ()


VARIATIONS: Registry[Variation] = Registry("variation", "nasturtium.variations")


@final
@VARIATIONS.register("copy")
@dataclass(frozen=True)
class Copy(Variation):
    """The first parent as it is."""

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the parent."""
        del space, place, rng
        return parents[0]


def check_rate(rate: float) -> None:
    """Check a probability.

    Raises:
        UsageError: It is not in [0, 1].
    """
    if not 0 <= rate <= 1:
        raise UsageError(f"a rate is a probability in [0, 1], got {rate}; change it.")


@final
@VARIATIONS.register("mutation")
@dataclass(frozen=True)
class Mutation(Variation):
    """The space's own mutation: one place differs.

    Args:
        identity_rate: Probability that the child equals its parent; 0.05 in Real et al. 2019.
    """

    identity_rate: float = 0.0

    def __post_init__(self) -> None:
        """Check the rate."""
        check_rate(self.identity_rate)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return a mutation of the parent, or the parent."""
        del place
        if self.identity_rate and rng.random() < self.identity_rate:
            return parents[0]
        return space.mutate(parents[0], rng)


@final
@VARIATIONS.register("mutation-by-level")
@dataclass(frozen=True)
class MutationByLevel(Variation):
    """One decision changes, drawn level by level: a part of the space, a part of that, and so on.

    Parts are what the dots of the decisions' paths separate. In the hierarchical space they are
    level, motif, successor and predecessor, each drawn uniformly, so that the one cell is changed as
    often as all motifs below. Without dots, and in spaces without decisions, it is ``Mutation``.

    References:
        Liu et al. 2018, section 3.1; there the label drawn may be the one that is there already.
    """

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return a mutation of the parent."""
        del place
        if not isinstance(space, Decisions):
            return space.mutate(parents[0], rng)
        prefix: dict[str, Value] = {}
        open_to: dict[str, Value] = {}
        for decision, value in space.trace(parents[0]):
            other = decision.other(value, rng.random(), prefix)
            if other != value:
                open_to[decision.path] = other
            prefix[decision.path] = value
        for _ in range(REDRAWS if open_to else 0):
            path = descended(tuple(open_to), rng)
            found = space.construct(keeping({**parents[0], path: open_to[path]}, rng))
            if space.is_feasible(found):
                return found
        return space.mutate(parents[0], rng)


@final
@VARIATIONS.register("per-decision")
@dataclass(frozen=True)
class PerDecision(Variation):
    """Each decision changes with a probability of its own, as a bit flips.

    Args:
        rate: Probability that a decision takes another legal value.
        is_forced: Whether to draw again until the candidate differs (``space.identity``), as
            Suganuma et al. 2017 do until an active gene has changed.
    """

    rate: float = 0.05
    is_forced: bool = False

    def __post_init__(self) -> None:
        """Check the rate."""
        check_rate(self.rate)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the parent with some decisions changed."""
        del place
        before = space.identity(parents[0]) if self.is_forced else None
        for _ in range(REDRAWS):
            found = flipped(space, parents[0], self.rate, rng)
            if space.is_feasible(found) and (before is None or space.identity(found) != before):
                return found
        return space.mutate(parents[0], rng)


@final
@VARIATIONS.register("crossover")
@dataclass(frozen=True)
class Crossover(Variation):
    """A mixture of two parents, then a mutation.

    Args:
        kind: ``"uniform"`` takes each decision from either parent, ``"one-point"`` those before a
            point from one and those after it from the other.
        mutation_rate: Probability that the child is also mutated, in one place.
    """

    kind: str = "uniform"
    mutation_rate: float = 1.0

    n_parents: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check kind and rate."""
        check_rate(self.mutation_rate)
        if self.kind not in ("uniform", "one-point"):
            raise UsageError(f"kind is 'uniform' or 'one-point', got {self.kind!r}; write one of them.")

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return a mixture within the limits."""
        del place
        a, b = parents
        if self.kind == "uniform":
            found = decided(space).crossover(a, b, rng)
        else:
            point = int(rng.integers(1, max(len(a), 2)))
            late = set(list(a)[point:])
            found = mixed(space, a, b, late.__contains__, rng)
        return space.mutate(found, rng) if rng.random() < self.mutation_rate else found


@final
@VARIATIONS.register("stage-crossover")
@dataclass(frozen=True)
class StageCrossover(Variation):
    """Pairs have two children, which have swapped whole stages or are mutated bit by bit.

    A stage is all decisions whose paths are the same up to the first dot.

    Args:
        crossover_rate: Probability that a pair swaps stages; its children are not mutated then.
        swap_rate: Probability that a stage of such a pair is swapped.
        mutation_rate: Probability that a child of another pair is mutated.
        flip_rate: Probability that a decision of a mutated child changes.

    References:
        Xie & Yuille 2017, section 3.2.
    """

    crossover_rate: float = 0.2
    swap_rate: float = 0.2
    mutation_rate: float = 0.8
    flip_rate: float = 0.05

    n_parents: ClassVar[int] = 2
    litter: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the rates."""
        for rate in (self.crossover_rate, self.swap_rate, self.mutation_rate, self.flip_rate):
            check_rate(rate)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the first or second child of the pair."""
        mine, other = parents[place], parents[1 - place]
        if rng.random() < self.crossover_rate:
            stages = dict.fromkeys(map(stage_of, (*parents[0], *parents[1])))
            swapped = {stage for stage in stages if rng.random() < self.swap_rate}
            return mixed(space, mine, other, lambda path: stage_of(path) in swapped, rng)
        rng = np.random.default_rng(rng.integers(2**62, size=2)[place])  # its own, whatever the other draws
        if rng.random() >= self.mutation_rate:
            return mine
        return PerDecision(self.flip_rate).child(space, (mine,), 0, rng)


@final
@VARIATIONS.register("row-crossover")
@dataclass(frozen=True)
class RowCrossover(Variation):
    """Pairs have two children, which have swapped one stage; then each decision may change.

    Args:
        crossover_rate: Probability that a pair swaps a stage: in a matrix of connections a row, which
            is all that one unit receives.
        flip_rate: Probability that a decision of a child changes.

    References:
        Miller, Todd & Hegde 1989.
    """

    crossover_rate: float = 0.6
    flip_rate: float = 0.005

    n_parents: ClassVar[int] = 2
    litter: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the rates."""
        check_rate(self.crossover_rate)
        check_rate(self.flip_rate)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the first or second child of the pair."""
        mine, other = parents[place], parents[1 - place]
        stages = list(dict.fromkeys(map(stage_of, (*parents[0], *parents[1])))) or [""]
        coin, where = rng.random(2).tolist()
        seeds = rng.integers(2**62, size=2)
        if coin < self.crossover_rate:
            row = stages[int(where * len(stages))]
            mine = mixed(space, mine, other, lambda path: stage_of(path) == row, rng)
        return PerDecision(self.flip_rate).child(space, (mine,), 0, np.random.default_rng(seeds[place]))


@final
@VARIATIONS.register("graph-edit")
@dataclass(frozen=True)
class GraphEdit(Variation):
    """One edit of a growing space; the proposal names it, so that the child inherits weights."""

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the parent after an edit, uniformly among those that fit."""
        del place
        growing = grown(space)
        possible = growing.edits(parents[0])
        if not possible:
            raise NoFeasibleNeighbor("an edit must fit, got none; loosen the limits.")
        return growing.apply(parents[0], possible[int(rng.integers(len(possible)))])

    def edits(self, space: Space, parent: Architecture, child: Architecture) -> tuple[Edit, ...]:
        """Return the one edit between the two, if one edit leads there."""
        growing = grown(space)
        return next(((edit,) for edit in growing.edits(parent) if growing.apply(parent, edit) == child), ())


def descended(paths: Sequence[str], rng: np.random.Generator) -> str:
    """Return one of the paths, drawn by going down their tree, uniformly at each fork.

    Example:
        >>> draws = [descended(("a.x", "a.y", "b"), np.random.default_rng(seed)) for seed in range(100)]
        >>> 30 < draws.count("b") < 70
        True
    """
    rows = [path.split(".") for path in paths]
    level = 0
    while len(rows) > 1:
        parts = list(dict.fromkeys(tuple(row[level : level + 1]) for row in rows))
        chosen = parts[int(rng.integers(len(parts)))]
        rows = [row for row in rows if tuple(row[level : level + 1]) == chosen]
        level += 1
    return ".".join(rows[0])


def stage_of(path: str) -> str:
    """Return the part of a decision's path that names its stage.

    Example:
        >>> stage_of("stage_1.edge_1_2"), stage_of("edge_0")
        ('stage_1', 'edge_0')
    """
    return path.partition(".")[0]


def decided(space: Space) -> Decisions:
    """Return the space, which has decisions.

    Raises:
        RequirementError: It has none.
    """
    if not isinstance(space, Decisions):
        raise RequirementError(
            f"this variation needs a space with Decisions, got {type(space).__name__}; use mutation."
        )
    return space


def grown(space: Space) -> Edits:
    """Return the space, which has edits.

    Raises:
        RequirementError: It has none.
    """
    if not isinstance(space, Edits):
        raise RequirementError(f"this variation needs a space with Edits, got {type(space).__name__}; use mutation.")
    return space


def mixed(
    space: Space, a: Architecture, b: Architecture, takes_b: Callable[[str], bool], rng: np.random.Generator
) -> Architecture:
    """Return the child that has some decisions of ``b`` and the others of ``a``.

    Where one parent's value is not legal or not there, the other's is taken, else one is drawn; where
    the limits forbid the mixture, another is made.
    """

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        donors = (b, a) if takes_b(decision.path) else (a, b)
        options = decision.options(prefix)
        for donor in donors:
            if decision.path in donor and (not options or donor[decision.path] in options):
                value: Value = donor[decision.path]
                return value
        return decision.at(rng.random(), prefix)

    child = decided(space).construct(choose)
    return child if space.is_feasible(child) else decided(space).crossover(a, b, rng)


def keeping(values: Mapping[str, Value], rng: np.random.Generator) -> Choose:
    """Return what answers a decision with its value where that is there and legal, else with a draw."""

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        value: Value = values.get(decision.path)
        options = decision.options(prefix)
        if decision.path not in values or (options and value not in options):
            return decision.at(rng.random(), prefix)
        return value

    return choose


def flipped(space: Space, parent: Architecture, rate: float, rng: np.random.Generator) -> Architecture:
    """Return the parent with each decision changed with a probability, limits ignored."""

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        coin, where = rng.random(2).tolist()
        value: Value = parent.get(decision.path)
        options = decision.options(prefix)
        if decision.path not in parent or (options and value not in options):
            return decision.at(where, prefix)
        return decision.other(value, where, prefix) if coin < rate else value

    return decided(space).construct(choose)
