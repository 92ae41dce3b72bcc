"""NSGA-II: the genetic algorithm for several objectives.

Deb, Pratap, Agarwal & Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II", IEEE Transactions on Evolutionary Computation 6(2), section III. For architectures: Lu et
al. 2019, NSGA-Net (arXiv 1810.03522).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.spaces import Decisions
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._operators import check_repeats
from nasturtium.strategies._parents import Tournament
from nasturtium.strategies._removal import Generational
from nasturtium.strategies._variation import Crossover

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("nsga2")
@dataclass(frozen=True)
class NSGA2(Strategy):
    """Non-dominated sorting, then the loneliest first; parents and children compete to live on.

    Departures: the operators for real numbers are replaced by those for decisions: uniform or one-point
    crossover, then the space's mutation; ``repeats="avoid"`` varies on.

    Args:
        population_size: N, of parents and of children.
        crossover: ``"uniform"`` or ``"one-point"``.
        mutation_rate: Probability that a child is also mutated.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Deb et al. 2002, IEEE TEC 6(2); population size of Lu et al. 2019, arXiv 1810.03522.
    """

    population_size: int = 40
    crossover: str = "uniform"
    mutation_rate: float = 1.0
    repeats: str = "avoid"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Deb et al. 2002, IEEE TEC 6(2)"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        Crossover(self.crossover, self.mutation_rate)
        if self.population_size < 2:
            raise UsageError(f"population_size is at least 2, got {self.population_size}; raise it.")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's candidates; none while the one before is not over."""
        removal = Generational(self.population_size, n_elite=self.population_size)
        variation = Crossover(self.crossover, self.mutation_rate)
        return evolve(history, n, Tournament(2, replacement=False), removal, variation, self.repeats)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows four generations."""
        return replace(self, population_size=fitting(horizon, self.population_size))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10."""
        return cls(population_size=10)
