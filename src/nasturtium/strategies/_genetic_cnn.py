"""The genetic algorithm of Genetic CNN.

Xie & Yuille 2017, "Genetic CNN", ICCV (arXiv 1703.01513), section 3.2.
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
from nasturtium.strategies._variation import StageCrossover

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("genetic-cnn")
@dataclass(frozen=True)
class GeneticCNN(Strategy):
    """A generational genetic algorithm over bits: roulette, crossover of stages, flips of bits.

    Candidates are evaluated again whenever they come up, and compete with the mean of their results:
    that is how the method averages noise out. On spaces whose decisions have more values than two, a
    flip takes any other value. The defaults are those of the CIFAR-10 experiment.

    Args:
        population_size: N, an even number.
        crossover_rate: p_C, that a pair swaps stages.
        swap_rate: q_C, for each stage of such a pair.
        mutation_rate: p_M, that another individual is mutated.
        flip_rate: q_M, for each decision of such an individual.

    References:
        Xie & Yuille 2017, ICCV, arXiv 1703.01513.
    """

    population_size: int = 20
    crossover_rate: float = 0.2
    swap_rate: float = 0.2
    mutation_rate: float = 0.8
    flip_rate: float = 0.05

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    reference: ClassVar[str] = "Xie & Yuille 2017, arXiv 1703.01513"

    def __post_init__(self) -> None:
        """Check the arguments."""
        StageCrossover(self.crossover_rate, self.swap_rate, self.mutation_rate, self.flip_rate)
        if self.population_size < 2 or self.population_size % 2:
            raise UsageError(f"population_size is an even number from 2 on, got {self.population_size}; change it.")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's candidates; none while the one before is not over."""
        variation = StageCrossover(self.crossover_rate, self.swap_rate, self.mutation_rate, self.flip_rate)
        removal = Generational(self.population_size, averages=True)
        return evolve(history, n, Roulette(), removal, variation, "allow")

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that allows four generations."""
        return replace(self, population_size=fitting(horizon, self.population_size) // 2 * 2)

    @classmethod
    def small(cls) -> Self:
        """Return a population of 4 that changes more than the paper's: many generations in few trials."""
        return cls(population_size=4, swap_rate=0.5, mutation_rate=1.0, flip_rate=0.15)
