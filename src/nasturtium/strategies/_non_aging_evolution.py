"""Evolution without aging: the control of regularized evolution.

Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image Classifier Architecture Search",
AAAI (arXiv 1802.01548), supplement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._operators import check_repeats
from nasturtium.strategies._parents import Tournament
from nasturtium.strategies._removal import WorstOfSample
from nasturtium.strategies._variation import Mutation

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("non-aging-evolution")
@dataclass(frozen=True)
class NonAgingEvolution(Strategy):
    """Mutates the winner of a tournament, of whose sample the worst dies.

    As ``RegularizedEvolution`` in all but who dies. A lucky measurement lives on here, which is why
    aging does better where measurements are noisy, and not where they are exact.

    Args:
        population_size: P; as many candidates are drawn at random first.
        sample_size: S, the draws of a tournament, with replacement.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Real et al. 2019, AAAI, arXiv 1802.01548.
    """

    population_size: int = 100
    sample_size: int = 25
    repeats: str = "avoid"

    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Real et al. 2019, arXiv 1802.01548"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        if self.population_size < 1 or self.sample_size < 1:
            raise UsageError(
                "population_size and sample_size are at least 1, got "
                f"{self.population_size} and {self.sample_size}; raise them."
            )

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates up to the population's size, then children of winners."""
        parents, removal = Tournament(self.sample_size), WorstOfSample(self.population_size)
        return evolve(history, n, parents, removal, Mutation(), self.repeats)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that turns over about four times."""
        population = fitting(horizon, self.population_size)
        return replace(self, population_size=population, sample_size=max(2, population // 4))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10 and tournaments of 5."""
        return cls(population_size=10, sample_size=5)
