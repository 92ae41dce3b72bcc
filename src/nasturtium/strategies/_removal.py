"""Removal: who is left. Each operator derives the population from the completed trials.

What was ever found stays in the history; no operator need keep the best.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nasturtium._registry import Registry
from nasturtium.errors import UsageError
from nasturtium.strategies._operators import youngest
from nasturtium.trials import History, Trial, non_dominated, ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture
    from nasturtium.strategies._parents import Chosen


class Population(NamedTuple):
    """Those alive.

    Args:
        members: Trials' numbers, shape ``(n_members,)``.
        losses: Their losses, shape ``(n_members, n_objectives)``, no NaN.
        is_copied: Whether the child is its first parent as it is: a champion that lives on.
    """

    members: NDArray[np.int64]
    losses: NDArray[np.float64]
    is_copied: bool = False


@dataclass(frozen=True)
class Removal(ABC):
    """Decides who is alive after the trials so far.

    Args:
        population_size: As many candidates are drawn at random first.
    """

    population_size: int = 100

    def __post_init__(self) -> None:
        """Check the size."""
        if self.population_size < 1:
            raise UsageError(f"population_size is at least 1, got {self.population_size}; raise it.")

    @abstractmethod
    def population(self, history: History, number: int) -> Population | None:
        """Return who may be a parent of trial ``number``; None if others must end before."""

    def note(self, population: Population, chosen: Chosen) -> Mapping[str, Any]:
        """Return what the child's proposal must remember of its parents' competition; often nothing."""
        del population, chosen
        return {}


REMOVALS: Registry[Removal] = Registry("removal", "nasturtium.removals")

Members = tuple[int, ...]


def survivors(
    history: History, key: object, step: Callable[[Members, Trial, NDArray[np.float64]], Members]
) -> Population:
    """Return the population that trials with losses, added one by one as they ended, leave.

    Args:
        history: The trials.
        key: Identifies the step, see ``history.fold``.
        step: Returns the members' numbers after one more trial, given all losses.
    """
    losses = history.losses()

    def added(members: Members, trial: Trial) -> Members:
        return members if np.isnan(losses[trial.number]).any() else step(members, trial, losses)

    start: Callable[[], Members] = tuple
    members = np.array(history.fold((key, history.compared_at), start, added), dtype=np.int64)
    return Population(members, losses[members])


@final
@REMOVALS.register("oldest")
@dataclass(frozen=True)
class Oldest(Removal):
    """Each birth ends the life of the oldest: aging (Real et al. 2019).

    The oldest is the earliest finished, so that asynchronous runs are reproducible.
    """

    def population(self, history: History, number: int) -> Population:
        """Return the last that ended with losses."""
        del number
        return Population(*youngest(history, self.population_size))


@final
@REMOVALS.register("keep-all")
@dataclass(frozen=True)
class KeepAll(Removal):
    """Nobody dies: the population only grows (Liu et al. 2018)."""

    def population(self, history: History, number: int) -> Population:
        """Return all that ended with losses."""
        del number
        losses = history.losses()
        members = history.completed.latest(len(history.completed))
        members = members[~np.isnan(losses[members]).any(axis=1)]
        return Population(members, losses[members])


@final
@REMOVALS.register("worst")
@dataclass(frozen=True)
class Worst(Removal):
    """Each birth ends the life of the worst of the population: steady state."""

    def population(self, history: History, number: int) -> Population:
        """Return whom the births so far left."""
        del number

        def step(members: Members, trial: Trial, losses: NDArray[np.float64]) -> Members:
            alive = (*members, trial.number)
            return alive if len(alive) <= self.population_size else without(alive, worst(alive, losses))

        return survivors(history, self, step)


@final
@REMOVALS.register("worst-of-sample")
@dataclass(frozen=True)
class WorstOfSample(Removal):
    """A birth ends the life of the worst of the sample that elected the parent.

    Real et al. 2019 call it non-aging; with a sample of two it is the pair of Real et al. 2017, of
    which the worse dies and the better has a child. It dies as the child is born, that is, ended
    with losses; if it is dead by then, because two children were under way, the worst of the
    population dies in its place.
    """

    def population(self, history: History, number: int) -> Population:
        """Return whom the births so far left."""
        del number

        def step(members: Members, trial: Trial, losses: NDArray[np.float64]) -> Members:
            alive = (*members, trial.number)
            if len(alive) <= self.population_size:
                return alive
            loser = trial.proposal.attributes.get("loser")
            return without(alive, loser if loser in alive else worst(alive, losses))

        return survivors(history, self, step)

    def note(self, population: Population, chosen: Chosen) -> Mapping[str, Any]:
        """Return the loser of the tournament; never the winner, if others were drawn."""
        rows = [row for row in chosen.sample if row not in chosen.parents] or list(chosen.sample)
        loser = rows[int(ranking(population.losses[rows])[-1])]
        return {"loser": int(population.members[loser])}


@final
@REMOVALS.register("dominated")
@dataclass(frozen=True)
class Dominated(Removal):
    """Those die whom another dominates: the population is the Pareto front (Elsken et al. 2019)."""

    def population(self, history: History, number: int) -> Population:
        """Return the front of all that ended with losses."""
        del number

        def step(members: Members, trial: Trial, losses: NDArray[np.float64]) -> Members:
            alive = np.array((*members, trial.number))
            return tuple(alive[non_dominated(losses[alive])].tolist())

        return survivors(history, self, step)


@final
@REMOVALS.register("generational")
@dataclass(frozen=True)
class Generational(Removal):
    """A generation of children replaces its parents, but for the elite.

    The first generation are ``population_size`` trials, each later one the next ``n_children``; a
    generation begins when the one before has ended. Its parents are the best ``population_size`` of
    the children before and the elite of the parents before. With no elite this is the classical
    genetic algorithm; with an elite as large as the population it is a (mu + lambda) strategy, as
    NSGA-II's, in which a child that is not better than the worst parent dies.

    Args:
        population_size: mu.
        n_children: lambda; 0 means as many as the population has.
        n_elite: How many of the parents live on.
        averages: Whether parents compete with the mean of all losses of candidates equal to them.
        in_turn: Whether the k-th child is that of the k-th best alone, as in Angeline et al. 1994.
    """

    n_children: int = 0
    n_elite: int = 0
    averages: bool = False
    in_turn: bool = False

    def __post_init__(self) -> None:
        """Check the sizes."""
        if self.population_size < 1 or self.n_children < 0 or not 0 <= self.n_elite <= self.population_size:
            raise UsageError(
                "population_size is at least 1, n_children at least 0 and n_elite in [0, population_size], got "
                f"{self.population_size}, {self.n_children} and {self.n_elite}; change them."
            )

    def first(self, generation: int) -> int:
        """Return the number of a generation's first trial."""
        return 0 if not generation else self.population_size + (generation - 1) * self.children

    @property
    def children(self) -> int:
        """The number of trials of every generation but the first."""
        return self.n_children or self.population_size

    def generation(self, n_trials: int) -> int:
        """Return the number of the generation that so many trials, numbered from 0, lead to."""
        return max(n_trials - self.population_size + self.children, 0) // self.children

    def population(self, history: History, number: int) -> Population | None:
        """Return the parents of the generation of that trial, if it may begin."""
        losses, now = history.losses(), self.generation(history.n_settled)
        if number >= self.first(now + 1):
            return None
        start: Callable[[], Members] = tuple
        key = (self, history.compared_at)
        parents = history.iterate(key, now, start, lambda parents, g: self.succeeding(parents, g, losses))
        members = np.array(parents, dtype=np.int64)
        if self.in_turn and len(members):
            members = members[[(number - self.first(now)) % len(members)]]
        if self.averages:
            return Population(members, averaged(history, tuple(members.tolist()), self.first(now)))
        return Population(members, losses[members])

    def succeeding(self, parents: Members, generation: int, losses: NDArray[np.float64]) -> Members:
        """Return the parents of the next generation, the best first, given those of one that is over."""
        block = range(self.first(generation), self.first(generation + 1))
        elite = best(parents, losses, self.n_elite)
        return best((*elite, *(n for n in block if not np.isnan(losses[n]).any())), losses, self.population_size)


def best(members: Members, losses: NDArray[np.float64], n: int) -> Members:
    """Return the best n members, the best first; ties go to the one that stands first."""
    if not members or not n:
        return ()
    order = ranking(losses[list(members)])
    return tuple(members[row] for row in order[:n])


def worst(members: Members, losses: NDArray[np.float64]) -> int:
    """Return the worst member."""
    return members[int(ranking(losses[list(members)])[-1])]


def without(members: Members, number: int) -> Members:
    """Return the members but one."""
    return tuple(member for member in members if member != number)


def averaged(history: History, members: Members, end: int) -> NDArray[np.float64]:
    """Return the members' losses, each the mean over the trials before ``end`` of an equal candidate."""
    losses = history.losses()
    known = np.asarray(~np.isnan(losses).any(axis=1))
    architectures = [history.architecture(number) for number in range(end)]
    alike: dict[Architecture | None, list[int]] = {architectures[member]: [] for member in members}
    for number in np.flatnonzero(known[:end]).tolist():
        if architectures[number] in alike:
            alike[architectures[number]].append(number)
    rows = [losses[alike[architectures[member]]].mean(axis=0) for member in members]
    return np.array(rows).reshape(len(members), losses.shape[1])
