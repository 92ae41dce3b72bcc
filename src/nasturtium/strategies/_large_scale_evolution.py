"""Large-scale evolution: of a random pair the better has a child and the worse dies.

Real, Moore, Selle, Saxena, Suematsu, Tan, Le & Kurakin 2017, "Large-Scale Evolution of Image
Classifiers", ICML (arXiv 1703.01041), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.spaces import Edits
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._operators import check_repeats
from nasturtium.strategies._parents import Tournament
from nasturtium.strategies._removal import WorstOfSample
from nasturtium.strategies._variation import GraphEdit, Mutation

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("large-scale-evolution")
@dataclass(frozen=True)
class LargeScaleEvolution(Strategy):
    """Compares two of the population at random: the worse dies, the better is mutated once.

    On a growing space the mutation is one of its edits, and the child inherits the weights that the
    edit leaves alone. Departures: the worse dies when the child has ended, not before, so that the
    population keeps its size whatever is under way; ``repeats="avoid"``, the default as of all strategies,
    mutates on, so that on the paper's space ``network-evolution`` a child never differs by ``"identity"`` or
    ``"reset-weights"`` alone, which leave the network as it is: ``repeats="allow"`` is the paper's.

    Args:
        population_size: The set point of the population.
        repeats: ``"avoid"`` or ``"allow"`` (the paper, of whose mutations some change weights only).

    References:
        Real et al. 2017, ICML, arXiv 1703.01041.
    """

    population_size: int = 1000
    repeats: str = "avoid"

    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Real et al. 2017, arXiv 1703.01041"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        WorstOfSample(self.population_size)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates up to the population's size, then children of the better ones."""
        pair, removal = Tournament(2, replacement=False), WorstOfSample(self.population_size)
        variation = GraphEdit() if history.study.space.supports(Edits) else Mutation()
        return evolve(history, n, pair, removal, variation, self.repeats)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that turns over about four times."""
        return replace(self, population_size=fitting(horizon, self.population_size))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10."""
        return cls(population_size=10)
