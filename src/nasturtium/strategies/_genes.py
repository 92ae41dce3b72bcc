"""How genomes of weighted connections differ, cross and mutate in NEAT.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", sections 3.1
to 3.3 and appendix; what the paper leaves open is as in the authors' program, NEAT 1.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import Gene, Genome, Genomes, Space
from nasturtium.spaces._genome_edits import connected, split, toggled
from nasturtium.strategies._variation import VARIATIONS, Variation, check_rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture, Innovation

LARGE = 20
"""Genes from which on differences are counted as shares of the genome."""

SEVERE, MILD, YOUNG = (0.7, 0.9), (1.0, 1.0), (0.5, 0.7)
"""Up to which coin a weight is moved, and up to which it is drawn anew; else it is kept (NEAT 1.2.1).

A genome changes severely or mildly, with equal chances; mildly, a mature one's young genes are spared. Young
are those of hidden neurons, since all others are there from the start (the program's newest fifth; ours).
"""

MATURE = 10
"""Genes from which on a genome has young ones."""


@final
@VARIATIONS.register("genes")
@dataclass(frozen=True)
class Genes(Variation):
    """NEAT's child: two genomes crossed, or one alone, then one kind of mutation.

    The first of the parents is the fitter one; two equal parents stand for a child of one.

    Args:
        add_neuron: Probability that a connection is split.
        add_connection: Otherwise, that two ends are connected.
        change_weights: Otherwise, that weights change.
        recurrent: Share of the new connections that go back, where the space allows it.
        toggle: Probability that, with the weights, a connection is turned on or off.
        power: Greatest change of a weight, and size of one that is drawn anew.
        average: Probability that a crossing takes the mean of the weights in common.
        mate_only: Probability that a crossing is not mutated.
        stay_disabled: Probability that a gene disabled in either parent is in the child.
        cap: Greatest size of a weight (experimental in NEAT 1.2.1).
        is_minimal: Whether the first population is minimal; else it is random.

    References:
        Stanley & Miikkulainen 2002, sections 3.1, 3.2 and 4.1.
    """

    add_neuron: float = 0.03
    add_connection: float = 0.05
    change_weights: float = 0.8
    recurrent: float = 0.2
    toggle: float = 0.0
    power: float = 2.5
    average: float = 0.4
    mate_only: float = 0.2
    stay_disabled: float = 0.75
    cap: float = 8.0
    is_minimal: bool = True

    n_parents: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the rates."""
        for rate in (self.add_neuron, self.add_connection, self.change_weights, self.recurrent, self.toggle):
            check_rate(rate)
        for rate in (self.average, self.mate_only, self.stay_disabled):
            check_rate(rate)
        if not (self.power > 0 and self.cap > 0):
            raise UsageError(f"power and cap are positive, got {self.power} and {self.cap}; raise them.")

    def founder(self, space: Space, rng: np.random.Generator) -> Architecture:
        """Return the smallest network, where NEAT begins; a random one where the limits forbid that."""
        start = varied(space).start(rng)
        return start if self.is_minimal and space.is_feasible(start) else space.sample(rng)

    def child(
        self, space: Space, parents: Sequence[Architecture], place: int, rng: np.random.Generator
    ) -> Architecture:
        """Return a child of the fitter parent's topology, mutated."""
        del place
        genome, other = Genome.of(parents[0]), Genome.of(parents[1])
        is_mutated = True
        if other != genome:
            genome = self.crossed(genome, other, rng)
            is_mutated = rng.random() >= self.mate_only
        found = (self.mutated(genome, varied(space), rng) if is_mutated else genome).architecture()
        return found if space.is_feasible(found) else space.mutate(parents[0], rng)

    def crossed(self, fitter: Genome, other: Genome, rng: np.random.Generator) -> Genome:
        """Return the fitter genome with matching genes from either parent (section 3.2, figure 4)."""
        is_mean = rng.random() < self.average
        genes: dict[Innovation, Gene] = {}
        coins = rng.random(2 * len(fitter.genes)).tolist()
        for i, (name, mine) in enumerate(fitter.genes.items()):
            its = other.genes.get(name)
            if its is None:
                genes[name] = mine
                continue
            weight = 0.5 * (mine[0] + its[0]) if is_mean else (mine[0] if coins[2 * i] < 0.5 else its[0])
            genes[name] = gene_of((weight, (mine[1] and its[1]) or coins[2 * i + 1] >= self.stay_disabled))
        return Genome(fitter.neurons, genes)

    def mutated(self, genome: Genome, space: Genomes, rng: np.random.Generator) -> Genome:
        """Return the genome after one kind of mutation, or as it was where that finds no place."""
        node, link, weights, back, toggle, size = rng.random(6).tolist()
        if node < self.add_neuron:
            return split(genome, space, rng) or genome
        if link < self.add_connection:
            delay = int(space.is_recurrent and back < self.recurrent)
            return connected(genome, space, rng, delay, 2 * size - 1) or genome
        if weights < self.change_weights:
            genome = self._weighed(genome, rng)
        return toggled(genome, rng) or genome if toggle < self.toggle else genome

    def _weighed(self, genome: Genome, rng: np.random.Generator) -> Genome:
        """Return the genome with each weight moved, drawn anew or kept, by one of two strengths (NEAT 1.2.1)."""
        strength, *draws = rng.random(1 + 2 * len(genome.genes)).tolist()
        old = SEVERE if strength < 0.5 else MILD
        new = YOUNG if old is MILD and len(genome.genes) >= MATURE else old
        neurons, power, cap = genome.neurons, self.power, self.cap
        moved, drawn = old
        genes: dict[Innovation, Gene] = {}
        for (name, gene), size, coin in zip(genome.genes.items(), draws[::2], draws[1::2], strict=True):
            if new is not old:
                moved, drawn = new if name[0] in neurons or name[1] in neurons else old
            if coin < drawn:
                weight = power * (2 * size - 1) + (gene[0] if coin < moved else 0.0)
                genes[name] = gene_of((min(max(weight, -cap), cap), gene[1]))
            else:
                genes[name] = gene
        return Genome(neurons, genes)


gene_of = partial(tuple.__new__, Gene)
"""Makes a gene as ``Gene`` does, without the way through Python: most of a mutation's time."""


@final
class Alignment:
    """The weights of genomes in the columns of their innovations.

    Args:
        genomes: Some genomes.
        numbers: Each innovation's place in the order in which they arose, from 0.

    Example:
        >>> a, b = ("x0", "y0", 0), ("x1", "y0", 0)
        >>> two = Genome({}, {a: Gene(1.0), b: Gene(0.5)})
        >>> Alignment([two], {a: 0, b: 1}).distances(Genome({}, {a: Gene(2.0)}), 1.0, 1.0, 0.4)
        array([1.4])
    """

    def __init__(self, genomes: Sequence[Genome], numbers: Mapping[Innovation, int]) -> None:
        names = {name for genome in genomes for name in genome.genes}
        self._numbers = numbers
        self._columns = {name: column for column, name in enumerate(sorted(names, key=numbers.__getitem__))}
        self._arisen = np.array([numbers[name] for name in self._columns])
        self._sizes = np.array([len(genome.genes) for genome in genomes], dtype=np.int64)
        rows = np.repeat(np.arange(len(genomes)), self._sizes)
        columns = [self._columns[name] for genome in genomes for name in genome.genes]
        self._weights = np.zeros((len(genomes), len(names)))
        self._has = np.zeros((len(genomes), len(names)))
        self._weights[rows, columns] = [gene[0] for genome in genomes for gene in genome.genes.values()]
        self._has[rows, columns] = 1.0

    def distances(self, other: Genome, excess: float, disjoint: float, weights: float) -> NDArray[np.float64]:
        """Return how unlike the genomes are to another, c1 E / N + c2 D / N + c3 W (section 3.3, equation 1).

        N is the size of the larger genome, and 1 for two genomes of fewer than ``LARGE`` genes.

        Args:
            other: The one that they are compared with.
            excess: c1, for genes newer than all of the other genome.
            disjoint: c2, for others that only one has.
            weights: c3, for the mean difference of weights in common.

        Returns:
            Distances, shape ``(n_genomes,)``.
        """
        common = [(self._columns[name], gene[0]) for name, gene in other.genes.items() if name in self._columns]
        columns = [column for column, _ in common]
        has = self._has[:, columns]
        n_shared = has.sum(axis=1)
        apart = (np.abs(self._weights[:, columns] - [weight for _, weight in common]) * has).sum(axis=1)
        unlike = disjoint * (self._sizes + len(other.genes) - 2 * n_shared)
        if excess != disjoint:
            unlike = unlike + (excess - disjoint) * self._newer(other)
        larger = np.maximum(self._sizes, len(other.genes))
        return np.asarray(unlike / np.where(larger >= LARGE, larger, 1) + weights * apart / np.maximum(n_shared, 1))

    def _newer(self, other: Genome) -> NDArray[np.float64]:
        """Return how many genes are newer than all of the other genome, either way, shape ``(n_genomes,)``."""
        its = np.sort([self._numbers[name] for name in other.genes])
        mine = (self._has * (self._arisen > its.max(initial=-1))).sum(axis=1)
        last = np.where(self._has > 0, self._arisen, -1).max(axis=1, initial=-1)
        return np.asarray(mine + len(its) - np.searchsorted(its, last, side="right"))


def varied(space: Space) -> Genomes:
    """Return the space, which has genomes.

    Raises:
        RequirementError: It has none.
    """
    if not isinstance(space, Genomes):
        raise RequirementError(f"this variation needs a space with Genomes, got {type(space).__name__}; use mutation.")
    return space
