"""HyperNEAT: NEAT evolves the pattern that generates a large network's weights.

Stanley, D'Ambrosio & Gauci 2009, "A Hypercube-Based Encoding for Evolving Large-Scale Neural
Networks", Artificial Life 15(2); constants as in the authors' program.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
@STRATEGIES.register("hyperneat")
@dataclass(frozen=True)
class HyperNEAT(Strategy):
    """NEAT with several species' worth of patterns, over networks that are read at pairs of places.

    The genome is a compositional pattern-producing network: its inputs are the places of two
    neurons, its output is the weight between them. What is indirect is the task, which generates and
    scores the large network (``visual-discrimination``); the space is ``neurons`` with several
    functions. So this is NEAT with other constants, and a threshold that is moved until there are
    about eight species.

    Args:
        population_size: Patterns a generation.
        n_species: Number of species towards which the threshold moves.
        threshold: Distance at first from which on genomes are of two species.
        add_neuron: Probability that a child's connection is split by a neuron.
        add_connection: Probability that it gets a connection otherwise.
        solved: Loss at which the search has finished, with its generation: 95 % of the best score, as in the
            authors' program.

    References:
        Stanley, D'Ambrosio & Gauci 2009, Artificial Life 15(2):185-212.
    """

    population_size: int = 300
    n_species: int = 8
    threshold: float = 6.0
    add_neuron: float = 0.03
    add_connection: float = 0.05
    solved: float = 0.05

    requires: ClassVar[tuple[type, ...]] = (Genomes,)
    reference: ClassVar[str] = "Stanley, D'Ambrosio & Gauci 2009, Artificial Life 15(2)"

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._operators()

    def _operators(self) -> tuple[Niches, Genes]:
        niches = Niches(
            self.population_size,
            excess=2.0,
            disjoint=2.0,
            weights=1.0,
            threshold=self.threshold,
            n_champion=4,
            n_species=self.n_species,
        )
        return niches, Genes(self.add_neuron, self.add_connection)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's patterns; none while the one before is not over, or once one solved it."""
        niches, genes = self._operators()
        return [] if niches.is_solved(history, self.solved) else evolve(history, n, InTurn(), niches, genes, "allow")

    def ahead(self, history: History) -> int:
        """Return how many patterns of the generation are to come."""
        return self._operators()[0].ahead(history)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows twenty generations."""
        return replace(self, population_size=fitting(horizon // 5, self.population_size))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 15 in three species whose topology changes more often."""
        return cls(population_size=15, n_species=3, threshold=1.0, add_neuron=0.1, add_connection=0.1, solved=0.0)
