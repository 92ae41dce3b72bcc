"""Evolution: parents, removal and variation, composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import NoFeasibleNeighbor
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import check_repeats, drawn, generator, unseen
from nasturtium.strategies._parents import Chosen, Parents, Tournament
from nasturtium.strategies._removal import Oldest, Population, Removal
from nasturtium.strategies._variation import Copy, Mutation, Variation
from nasturtium.trials import History, Proposal

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from nasturtium.spaces import Architecture


def evolve(
    history: History,
    n: int,
    parents: Parents,
    removal: Removal,
    variation: Variation,
    repeats: str,
    genotype: Callable[[int], Architecture | None] | None = None,
) -> list[Proposal]:
    """Return the next n births, or fewer if others must end before: what ``ask`` of every method is.

    Args:
        history: The trials so far.
        n: The greatest number of proposals.
        parents: Chooses parents.
        removal: Says who is alive; as many as its population are drawn at random first.
        variation: Makes the child.
        repeats: ``"avoid"`` varies on until the child is new to the study, or ``"allow"``.
        genotype: What a parent hands down; None means its architecture.
    """
    batch: set[str] = set()
    proposals: list[Proposal] = []
    for number in range(history.n_trials, history.n_trials + n):
        population = removal.population(history, number) if number >= removal.population_size else NOBODY
        if population is None or (population is not NOBODY and not len(population.members) and history.n_under_way):
            break
        birth = _Birth(history, number, variation, genotype or history.architecture)
        chosen = birth.choose(parents, population, removal.population_size)
        child = birth.child(batch, repeats)
        if child is None:
            break
        edits = variation.edits(history.study.space, birth.origins[0], child) if birth.origins else ()
        proposals.append(
            Proposal(child, birth.numbers, edits, attributes=removal.note(population, chosen) if chosen else {})
        )
    return proposals


TOURNAMENT, OLDEST, MUTATION = Tournament(25), Oldest(100), Mutation()
"""The operators of regularized evolution, the defaults of ``Evolution``."""

COPY = Copy()

NOBODY = Population(np.zeros(0, dtype=np.int64), np.zeros((0, 1)))


class _Birth:
    """One child on its way."""

    __slots__ = ("_genotype", "_history", "_number", "_place", "_rng", "_variation", "numbers", "origins")

    def __init__(
        self, history: History, number: int, variation: Variation, genotype: Callable[[int], Architecture | None]
    ) -> None:
        self._history = history
        self._number = number
        self._variation = variation
        self._genotype = genotype
        self.numbers: tuple[int, ...] = ()
        self.origins: tuple[Architecture, ...] = ()

    def choose(self, parents: Parents, population: Population, population_size: int) -> Chosen | None:
        """Choose the parents, if anyone is alive; children of one litter have the same."""
        members, losses, _ = population
        self._place = (self._number - population_size) % self._variation.litter if len(members) else 0
        self._rng = generator(self._history, self._number - self._place)
        if not len(members):
            return None
        chosen = parents.choose(losses, self._variation.n_parents, self._rng)
        self._variation = COPY if population.is_copied else self._variation.inherited(losses[chosen.parents[0]])
        numbers = tuple([int(members[row]) for row in chosen.parents])
        self.origins = tuple([a for a in map(self._genotype, numbers) if a is not None])
        self.numbers = numbers[self._place :] + numbers[: self._place]
        return chosen

    def child(self, batch: set[str], repeats: str) -> Architecture | None:
        """Return the child, or a random architecture if there are no parents."""
        if repeats == "avoid":
            return unseen(self._history, batch, self._draw, self._rng)
        return drawn(self._history, lambda: self._draw(None), self._rng, is_first=self._number == 0)

    def _draw(self, rejected: Architecture | None) -> Architecture:
        space = self._history.study.space
        if not self.origins:
            return self._variation.founder(space, self._rng)
        donors = self.origins if rejected is None else (rejected, *self.origins[1:])
        try:
            return self._variation.child(space, donors, self._place, self._rng)
        except NoFeasibleNeighbor:  # no way on from here within the limits
            return space.sample(self._rng)


@final
@STRATEGIES.register("evolution")
@dataclass(frozen=True)
class Evolution(Strategy):
    """Any evolutionary method, composed of its operators.

    Args:
        parents: Who has a child.
        removal: Who dies; also sets the population's size.
        variation: How the child differs.
        repeats: ``"avoid"`` or ``"allow"`` (most papers).

    Example:
        >>> from nasturtium.strategies import KeepAll, Mutation, Truncation
        >>> Evolution(Truncation(0.2), KeepAll(20), Mutation()).removal.population_size
        20
    """

    parents: Parents = TOURNAMENT
    removal: Removal = OLDEST
    variation: Variation = MUTATION
    repeats: str = "avoid"

    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Elsken, Metzen & Hutter 2019, arXiv 1808.05377, section 3"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates up to the population's size, then children."""
        return evolve(history, n, self.parents, self.removal, self.variation, self.repeats)

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10 and tournaments of 5."""
        return cls(Tournament(5), Oldest(10))


def fitting(horizon: int, population_size: int) -> int:
    """Return a population that turns over about four times within a number of trials."""
    return int(np.clip(horizon // 4, 4, max(population_size, 4)))
