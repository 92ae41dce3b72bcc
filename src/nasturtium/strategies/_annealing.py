"""Annealed mutation of genomes: the worse the parent, the more its child changes.

Angeline, Saunders & Pollack 1994, "An Evolutionary Algorithm that Constructs Recurrent Neural
Networks", IEEE Transactions on Neural Networks 5(1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.spaces import Gene, Genome, Genomes, Space
from nasturtium.spaces._genome_edits import connected, disconnected, without_neuron
from nasturtium.strategies._genes import varied
from nasturtium.strategies._variation import VARIATIONS, Variation, check_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture


@final
@VARIATIONS.register("annealing")
@dataclass(frozen=True)
class Annealing(Variation):
    """All weights change, then the structure, both in proportion to the parent's temperature.

    The temperature T is the parent's loss as a share of ``worst``, within [0, 1]; each child draws
    its own, u T with u uniform. A weight changes by a normal draw of variance ``alpha`` u T. Then
    so many hidden neurons go, connections go, neurons come without connections, and connections come
    with weight 0: each least + floor(u' u T (most - least)).

    Args:
        alpha: Variance of the change of a weight at temperature 1.
        neurons: Least and most hidden neurons that come or go.
        connections: Least and most connections that come or go.
        most_hidden: Hidden neurons of the first population, at most.
        most_connections: Connections of the first population, at most.
        worst: The loss at temperature 1, which is 0 at no loss.
        temperature: T of the parent; ``inherited`` sets it.

    References:
        Angeline, Saunders & Pollack 1994, section III.
    """

    alpha: float = 1.0
    neurons: tuple[int, int] = (0, 3)
    connections: tuple[int, int] = (1, 5)
    most_hidden: int = 5
    most_connections: int = 20
    worst: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_rate(self.temperature)
        spans = (self.neurons, self.connections)
        if any(not 0 <= least <= most for least, most in spans) or min(self.most_hidden, self.most_connections) < 0:
            got = arguments_of(self, "neurons", "connections", "most_hidden", "most_connections")
            raise UsageError(f"0 <= least <= most, and most of the first population at least 0, got {got}; change it.")
        if not (self.alpha > 0 and self.worst > 0):
            raise UsageError(f"alpha and worst are positive, got {self.alpha} and {self.worst}; raise them.")

    def inherited(self, losses: NDArray[np.float64]) -> Annealing:
        """Return the variation at the temperature of a parent with these losses."""
        return replace(self, temperature=min(max(float(losses[0]) / self.worst, 0.0), 1.0))

    def founder(self, space: Space, rng: np.random.Generator) -> Architecture:
        """Return random hidden neurons and connections, their numbers uniform, weights in [-1, 1)."""
        genomes = varied(space)
        genome = Genome({}, {})
        for _ in range(int(rng.integers(self.most_hidden + 1))):
            genome = with_neuron(genome, genomes, rng)
        for _ in range(int(rng.integers(min(1, self.most_connections), self.most_connections + 1))):
            genome = self._connected(genome, genomes, rng, float(rng.uniform(-1, 1)))
        found = genome.architecture()
        return found if space.is_feasible(found) else space.sample(rng)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return the parent with other weights and another structure."""
        del place
        genomes = varied(space)
        heat = self.temperature * float(rng.random())
        genome = reweighed(Genome.of(parents[0]), sqrt(self.alpha * heat), rng)
        for _ in range(self._number(self.neurons, heat, rng)):
            genome = without_neuron(genome, rng) or genome
        for _ in range(self._number(self.connections, heat, rng)):
            genome = disconnected(genome, rng) or genome
        for _ in range(self._number(self.neurons, heat, rng)):
            genome = with_neuron(genome, genomes, rng)
        for _ in range(self._number(self.connections, heat, rng)):
            genome = self._connected(genome, genomes, rng, 0.0)
        found = genome.architecture()
        return found if space.is_feasible(found) else space.mutate(parents[0], rng)

    def _number(self, span: tuple[int, int], heat: float, rng: np.random.Generator) -> int:
        least, most = span
        return least + int(rng.random() * heat * (most - least))

    def _connected(self, genome: Genome, space: Genomes, rng: np.random.Generator, weight: float) -> Genome:
        delay = int(space.is_recurrent and rng.random() < 0.5)
        return connected(genome, space, rng, delay, weight) or genome


def with_neuron(genome: Genome, space: Genomes, rng: np.random.Generator) -> Genome:
    """Return the genome with a hidden neuron more that nothing is connected to."""
    name = next(name for name in iter(lambda: f"n{int(rng.integers(2**32)):08x}", "") if name not in genome.neurons)
    return Genome({**genome.neurons, name: space.functions[int(rng.integers(len(space.functions)))]}, genome.genes)


def reweighed(genome: Genome, spread: float, rng: np.random.Generator) -> Genome:
    """Return the genome with every weight changed by a normal draw."""
    changes = (spread * rng.standard_normal(len(genome.genes))).tolist()
    genes = {
        name: Gene(gene.weight + change, gene.is_enabled)
        for (name, gene), change in zip(genome.genes.items(), changes, strict=True)
    }
    return Genome(genome.neurons, genes)
