"""Demes: populations of chromosomes in species, which breed as in NEAT.

Stanley & Miikkulainen 2002, section 3.3, over the chromosomes of Miikkulainen et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, nan
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.spaces import chromosomes
from nasturtium.strategies._species import Species, judged, quotas, speciated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.spaces import Chromosome, ChromosomeKind


LEAST_THRESHOLD = 1e-3
"""The least distance that keeps chromosomes apart, which is at most 3."""


@final
@dataclass(frozen=True)
class Breeding:
    """How a generation of a deme follows from the one before; the paper publishes none of these.

    Args:
        n_species: The greatest number of species; the threshold follows it.
        crossover_rate: Probability that a child has two parents; it is not mutated then.
        survival: Share of a species that may be parents, the best.
        n_elite: How many of a species live on as they are.
        patience: Generations without a rise after which a species has no children.
    """

    n_species: int = 4
    crossover_rate: float = 0.2
    survival: float = 0.5
    n_elite: int = 2
    patience: int = 15


@final
@dataclass(frozen=True)
class Deme:
    """A generation.

    Args:
        members: The chromosomes.
        known: Each one's fitness in an earlier generation; NaN for the newly born.
        species: Who belongs together.
        threshold: The distance below which a member joined a species.
    """

    members: tuple[Chromosome, ...]
    known: tuple[float, ...]
    species: tuple[Species[Chromosome], ...]
    threshold: float

    @property
    def numbers(self) -> tuple[int, ...]:
        """The species' numbers."""
        return tuple(s.number for s in self.species)


def settled(
    members: Sequence[Chromosome],
    known: Sequence[float],
    before: Sequence[Species[Chromosome]],
    kind: ChromosomeKind,
    how: Breeding,
    threshold: float = 0.1,
) -> Deme:
    """Return the deme of these members, with the least threshold that gives few enough species.

    It starts a tenth below the last one and rises by a tenth, so that species are neither one nor
    as many as members. Where all are alike for long it stays above zero, from which it could not rise.
    """
    threshold = max(0.9 * threshold, LEAST_THRESHOLD)
    known_distances: dict[int, list[float]] = {}  # by the other, for all thresholds

    def distances(other: Chromosome) -> list[float]:
        if id(other) not in known_distances:
            known_distances[id(other)] = [chromosomes.distance(member, other, kind) for member in members]
        return known_distances[id(other)]

    while True:
        species = speciated(members, before, distances, threshold)
        if len(species) <= how.n_species:
            return Deme(tuple(members), tuple(known), species, threshold)
        threshold *= 1.1


def credited(deme: Deme, results: Sequence[Sequence[float]]) -> list[float]:
    """Return each member's fitness: the mean over the assemblies that it was part of.

    A member that was in none keeps what it had; one that is new has the lowest of its generation.

    Args:
        deme: The generation.
        results: The fitness of each member's assemblies.
    """
    fitness = [float(np.mean(own)) if own else old for own, old in zip(results, deme.known, strict=True)]
    lowest = min((value for value in fitness if value == value), default=0.0)
    return [value if value == value else lowest for value in fitness]


def following(
    deme: Deme, fitness: Sequence[float], kind: ChromosomeKind, how: Breeding, rng: np.random.Generator
) -> Deme:
    """Return the next generation, as large as this one.

    Species have children in proportion to their mean lead over the lowest fitness, which fitness
    sharing comes to, since it needs values that are not negative.
    """
    species = judged(deme.species, fitness)
    breeding = [s for s in species if s.stale < how.patience] or [max(species, key=lambda s: s.best)]
    lowest = min(fitness)
    shares = [float(np.mean([fitness[row] - lowest for row in s.members])) for s in breeding]
    members: list[Chromosome] = []
    known: list[float] = []
    for s, count in zip(breeding, quotas(shares, len(deme.members)), strict=True):
        ranked = sorted(s.members, key=lambda row: -fitness[row])
        elite = ranked[: min(how.n_elite, count)]
        parents = ranked[: ceil(how.survival * len(ranked))]
        members += [deme.members[row] for row in elite]
        known += [fitness[row] for row in elite]
        for _ in range(count - len(elite)):
            members.append(_child([deme.members[row] for row in parents], kind, how, rng))
            known.append(nan)
    return settled(members, known, species, kind, how, deme.threshold)


def _child(parents: Sequence[Chromosome], kind: ChromosomeKind, how: Breeding, rng: np.random.Generator) -> Chromosome:
    """Return a child of one or two parents, drawn uniformly; the fitter of two gives its graph."""
    if len(parents) > 1 and rng.random() < how.crossover_rate:
        first, second = sorted(rng.choice(len(parents), size=2, replace=False).tolist())
        return chromosomes.crossed(parents[first], parents[second], rng)
    return chromosomes.mutated(parents[int(rng.integers(len(parents)))], kind, rng)
