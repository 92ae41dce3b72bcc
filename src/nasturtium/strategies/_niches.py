"""Niches: a generation's births divided among species by shared fitness.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import floor, inf
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nasturtium.errors import UsageError, arguments_of
from nasturtium.spaces import Genome, Innovation
from nasturtium.strategies._genes import Alignment, varied
from nasturtium.strategies._operators import generator
from nasturtium.strategies._removal import REMOVALS, Generational, Population, Removal
from nasturtium.strategies._species import Species, judged, quotas, speciated
from nasturtium.trials import INFEASIBLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.trials import History


class Birth(NamedTuple):
    """Who has a child.

    Args:
        fitter: Row of the parent that is fitter, or as fit and smaller.
        other: Row of the other; the same for a child of one.
        is_copy: Whether the child is the parent as it is: a champion that lives on.
    """

    fitter: int
    other: int
    is_copy: bool = False


@final
@dataclass(frozen=True)
class Lineage:
    """Where the evolution stands.

    Args:
        species: Those of the generation before.
        numbers: Each innovation's place in the order in which they arose.
        births: The parents of each member of the generation that is being born.
        best: Greatest fitness so far.
        stale: Generations since it rose.
        threshold: The distance from which on genomes are of two species.
    """

    species: tuple[Species[Genome], ...] = ()
    numbers: Mapping[Innovation, int] = field(default_factory=dict)
    births: tuple[Population, ...] = ()
    best: float = -inf
    stale: int = 0
    threshold: float = 0.0


@final
@REMOVALS.register("niches")
@dataclass(frozen=True)
class Niches(Removal):
    """A generation replaces the one before; its births are divided among species.

    Members that are alike share their fitness, so that no species takes over. Each species' worst
    die without children, the others have as many as the species' mean fitness buys; a large
    species' champion lives on. The one or two members returned for a birth are its parents, the
    fitter first: they are drawn here, uniformly within the species.

    Fitness is what the loss lacks to ``ceiling``, or to the generation's worst where that is more.

    Args:
        population_size: Births a generation.
        excess: c1 of the distance between genomes.
        disjoint: c2 of it.
        weights: c3 of it.
        threshold: Distance from which on they are of two species; ``inf`` has one species.
        survival: Share of a species that has children.
        alone: Probability that a child has one parent.
        interspecies: Probability that the second parent is another species' champion.
        n_champion: A champion lives on in a species of more members than this.
        max_stale: Generations without a better best until a species has hardly any children.
        max_stale_population: The same for all, until only the two best species have children and begin anew.
        ceiling: The loss at which fitness is 0; 1 for errors.
        n_species: Number of species towards which the threshold moves each generation; 0 leaves it.
        threshold_step: By how much it moves.
    """

    population_size: int = 150
    excess: float = 1.0
    disjoint: float = 1.0
    weights: float = 0.4
    threshold: float = 3.0
    survival: float = 0.2
    alone: float = 0.25
    interspecies: float = 0.001
    n_champion: int = 5
    max_stale: int = 15
    max_stale_population: int = 20
    ceiling: float = 1.0
    n_species: int = 0
    threshold_step: float = 0.3

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.population_size < 1 or min(self.n_champion, self.max_stale, self.max_stale_population) < 0:
            got = arguments_of(self, "population_size", "n_champion", "max_stale", "max_stale_population")
            raise UsageError(f"sizes are at least 1 and ages at least 0, got {got}; raise them.")
        if not (self.threshold > 0 and 0 < self.survival <= 1 and 0 <= self.alone <= 1 and 0 <= self.interspecies <= 1):
            got = arguments_of(self, "threshold", "survival", "alone", "interspecies")
            raise UsageError(f"threshold is positive, survival and rates are probabilities, got {got}; change them.")

    def population(self, history: History, number: int) -> Population | None:
        """Return the parents of that trial, if its generation may begin; none of the first generation."""
        varied(history.study.space)
        generation = history.n_settled // self.population_size
        place = number - generation * self.population_size
        if place >= self.population_size:
            return None
        now = history.iterate(
            (self, history.compared_at),
            generation,
            lambda: Lineage(threshold=self.threshold),
            lambda now, before: self._planned(history, before, now),
        )
        return now.births[place] if now.births else Population(np.zeros(0, dtype=np.int64), history.losses()[:0])

    def ahead(self, history: History) -> int:
        """Return how many births of the generation are to come: they are planned, unless limits reject them."""
        return 1 if history.study.space.limits else self.population_size - history.n_trials % self.population_size

    def is_solved(self, history: History, loss: float) -> bool:
        """Return whether a generation is over in which one had at most a loss that leaves nothing to be found."""
        losses, n = history.losses(), self.population_size

        def step(found: bool, generation: int) -> bool:
            return found or bool((losses[generation * n : (generation + 1) * n, 0] <= loss).any())

        return history.iterate((self, "solved", loss, history.compared_at), history.n_settled // n, bool, step)

    def _planned(self, history: History, generation: int, now: Lineage) -> Lineage:
        """Return the lineage with its species and the next births, after a generation is over."""
        losses = history.losses()
        members = Generational(self.population_size).succeeding((), generation, losses)
        if not members:
            return replace(now, births=())
        genomes = [Genome.of(a) for a in map(history.architecture, members) if a is not None]
        numbers = dict(now.numbers)
        for genome in genomes:
            for name in genome.genes:
                numbers.setdefault(name, len(numbers))
        fitness = self._fitness(losses[list(members), 0])

        aligned = Alignment(genomes, numbers)

        def distances(other: Genome) -> list[float]:
            found: list[float] = aligned.distances(other, self.excess, self.disjoint, self.weights).tolist()
            return found

        species = judged(speciated(genomes, now.species, distances, now.threshold), fitness)
        is_better = fitness[0] > now.best
        now = replace(
            now,
            species=species,
            numbers=numbers,
            best=max(now.best, fitness[0]),
            stale=0 if is_better else now.stale + 1,
            threshold=self._moved(now.threshold, len(species)),
        )
        if now.stale >= self.max_stale_population:
            now = refocused(now)
        rng = generator(history, -2 - generation)
        sizes = [len(genome.genes) for genome in genomes]
        births = self._births(now, fitness, sizes, rng)
        parents = np.array(members)[[birth[:2] for birth in births]]
        plan = zip(parents, losses[parents], [birth.is_copy for birth in births], strict=True)
        return replace(now, births=tuple([Population(*birth) for birth in plan]))

    def _moved(self, threshold: float, n_species: int) -> float:
        """Return the next generation's threshold: higher if there are too many species, lower if too few."""
        if not self.n_species:
            return threshold
        return max(threshold + self.threshold_step * int(np.sign(n_species - self.n_species)), self.threshold_step)

    def _fitness(self, losses: NDArray[np.float64]) -> list[float]:
        """Return the members' fitness, not negative; none for those that violate a limit."""
        usable = losses < INFEASIBLE
        ceiling = max(self.ceiling, losses[usable].max(initial=-inf))
        return [float(value) for value in np.where(usable, ceiling - losses, 0.0)]

    def _births(
        self, now: Lineage, fitness: Sequence[float], sizes: Sequence[int], rng: np.random.Generator
    ) -> list[Birth]:
        """Return who has a child, by rows of the population."""
        ranked = [sorted(s.members, key=lambda row: -fitness[row]) for s in now.species]
        shares = [
            sum(fitness[row] for row in s.members) / len(s.members) * (STALE if s.stale >= self.max_stale else 1.0)
            for s in now.species
        ]
        births: list[Birth] = []
        for i, quota in enumerate(quotas(shares, self.population_size)):
            n_copies = int(quota > 0 and len(ranked[i]) > self.n_champion)
            births += [Birth(ranked[i][0], ranked[i][0], is_copy=True)] * n_copies
            elite = ranked[i][: floor(self.survival * len(ranked[i])) + 1]
            others = [rows[0] for k, rows in enumerate(ranked) if k != i]
            for coin, far, first, second in rng.random((quota - n_copies, 4)).tolist():
                a, b = elite[int(first * len(elite))], elite[int(second * len(elite))]
                if coin < self.alone:
                    b = a
                elif far < self.interspecies and others:
                    b = others[int(second * len(others))]
                a, b = sorted((a, b), key=lambda row: (-fitness[row], sizes[row]))
                births.append(Birth(a, b))
        return births


def refocused(now: Lineage) -> Lineage:
    """Return the lineage with its two best species alone, and a fresh start for their ages (NEAT 1.2.1)."""
    best = sorted(now.species, key=lambda s: -s.best)[:2]
    species = tuple(replace(s, stale=0) for s in now.species if s in best)
    return replace(now, species=species, stale=0)


STALE = 0.01
"""What is left of the fitness of a species that has been stale for too long (NEAT 1.2.1)."""
