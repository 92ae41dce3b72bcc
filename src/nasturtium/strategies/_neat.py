"""NEAT: neuro-evolution of augmenting topologies.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", Evolutionary
Computation 10(2); what the paper leaves open is as in the authors' program, NEAT 1.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.spaces import Genomes
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._genes import Genes
from nasturtium.strategies._niches import Niches
from nasturtium.strategies._parents import InTurn

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("neat")
@dataclass(frozen=True)
class NEAT(Strategy):
    """Networks that begin minimal, grow, cross gene by gene, and compete within species first.

    Topology and weights evolve together; nothing is trained. Networks go back in time where the
    space has ``is_recurrent=True``. The defaults are those of XOR and of double pole balancing with
    velocities; without velocities the paper or its program has a population of 1000, weights=3.0, threshold=4.0,
    add_neuron=0.01 (0.03 in the text), add_connection=0.3, power=1.8, toggle=0.1, survival=0.4; and the program
    enables a disabled connection again with 0.05, which is left out here.

    Departures: equal innovations have one identity in all generations; of parents equally fit the
    smaller has the disjoint genes, and weights change by one of two strengths, as in the authors' program,
    whose spared newest fifth is here the genes of hidden neurons; fitness is what an error lacks to 1.

    Args:
        population_size: Networks a generation.
        excess: c1, of genes newer than the other genome.
        disjoint: c2, of other genes that only one has.
        weights: c3, of the mean difference of weights.
        threshold: Distance from which on genomes are of two species; a huge one has one species.
        survival: Share of a species that has children.
        add_neuron: Probability that a child's connection is split by a neuron.
        add_connection: Probability that it gets a connection otherwise.
        change_weights: Probability that its weights change otherwise.
        power: Greatest change of a weight.
        toggle: Probability that a connection is turned on or off, with the weights.
        alone: Probability that a child has one parent.
        interspecies: Probability that the second parent is of another species.
        is_minimal: Whether the first population is minimal; else it is random.
        solved: Loss at which the search has finished, with its generation: 0 for errors.

    References:
        Stanley & Miikkulainen 2002, Evolutionary Computation 10(2):99-127.
    """

    population_size: int = 150
    excess: float = 1.0
    disjoint: float = 1.0
    weights: float = 0.4
    threshold: float = 3.0
    survival: float = 0.2
    add_neuron: float = 0.03
    add_connection: float = 0.05
    change_weights: float = 0.8
    power: float = 2.5
    toggle: float = 0.0
    alone: float = 0.25
    interspecies: float = 0.001
    is_minimal: bool = True
    solved: float = 0.0

    requires: ClassVar[tuple[type, ...]] = (Genomes,)
    reference: ClassVar[str] = "Stanley & Miikkulainen 2002, Evolutionary Computation 10(2)"

    def __post_init__(self) -> None:
        """Check the arguments."""
        operators(self)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's networks; none while the one before is not over, or once one solved it."""
        niches, genes = operators(self)
        return [] if niches.is_solved(history, self.solved) else evolve(history, n, InTurn(), niches, genes, "allow")

    def ahead(self, history: History) -> int:
        """Return how many networks of the generation are to come."""
        return operators(self)[0].ahead(history)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows twenty generations."""
        return replace(self, population_size=fitting(horizon // 5, self.population_size))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 15 whose topology changes more often: many generations in few trials."""
        return cls(population_size=15, add_neuron=0.1, add_connection=0.1)


@lru_cache(maxsize=256)
def operators(neat: NEAT) -> tuple[Niches, Genes]:
    """Return who has children and how they differ; kept, since every birth asks."""
    distance = (neat.excess, neat.disjoint, neat.weights, neat.threshold)
    niches = Niches(neat.population_size, *distance, neat.survival, neat.alone, neat.interspecies)
    genes = Genes(
        neat.add_neuron,
        neat.add_connection,
        neat.change_weights,
        power=neat.power,
        toggle=neat.toggle,
        is_minimal=neat.is_minimal,
    )
    return niches, genes
