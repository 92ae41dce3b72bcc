"""A genetic algorithm over the constraint matrix of connections, its networks trained by backpropagation.

Miller, Todd & Hegde 1989, "Designing Neural Networks using Genetic Algorithms", Proceedings of the 3rd
International Conference on Genetic Algorithms, pages 379-384.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.spaces import Decisions
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._parents import Roulette
from nasturtium.strategies._removal import Generational
from nasturtium.strategies._variation import RowCrossover

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("miller")
@dataclass(frozen=True)
class Miller(Strategy):
    """A generational genetic algorithm in which parents swap all that comes into one unit.

    A row of the matrix, what one unit may receive, is the decisions whose paths are the same up to the
    first dot, such as ``unit_3.from_1`` and ``unit_3.from_2``; in other spaces a stage. Weights are
    random at each evaluation, and a candidate is evaluated whenever it comes up. The constants are
    ours: no full text of the paper was at hand.

    Args:
        population_size: An even number.
        crossover_rate: Probability that a pair swaps a row.
        mutation_rate: Probability that a decision of a child changes.

    References:
        Miller, Todd & Hegde 1989, ICGA, pages 379-384.
    """

    population_size: int = 50
    crossover_rate: float = 0.6
    mutation_rate: float = 0.005

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    reference: ClassVar[str] = "Miller, Todd & Hegde 1989, ICGA, pages 379-384"

    def __post_init__(self) -> None:
        """Check the arguments."""
        RowCrossover(self.crossover_rate, self.mutation_rate)
        if self.population_size < 2 or self.population_size % 2:
            raise UsageError(f"population_size is an even number from 2 on, got {self.population_size}; change it.")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's candidates; none while the one before is not over."""
        variation = RowCrossover(self.crossover_rate, self.mutation_rate)
        return evolve(history, n, Roulette(), Generational(self.population_size), variation, "allow")

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows four generations."""
        return replace(self, population_size=fitting(horizon, self.population_size) // 2 * 2)

    @classmethod
    def small(cls) -> Self:
        """Return a population of 6 that changes more: many generations in few trials."""
        return cls(population_size=6, mutation_rate=0.08)
