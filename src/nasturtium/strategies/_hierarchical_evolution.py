"""Evolution that removes nobody, made for hierarchical representations.

Liu, Simonyan, Vinyals, Fernando & Kavukcuoglu 2018, "Hierarchical Representations for Efficient
Architecture Search", ICLR (arXiv 1711.00436), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve, fitting
from nasturtium.strategies._operators import check_repeats
from nasturtium.strategies._parents import Tournament
from nasturtium.strategies._removal import KeepAll
from nasturtium.strategies._variation import MutationByLevel

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("hierarchical-evolution")
@dataclass(frozen=True)
class HierarchicalEvolution(Strategy):
    """Mutates the winner of a tournament of 5 % of all so far; nobody is ever removed.

    A mutation draws level, motif, successor and predecessor in turn. Departures: the new label is
    another one (the paper's may be the same, which evaluates the parent again); what the first
    candidates are is the space's affair (the paper applies 1,000 mutations to chains of identities);
    one evaluation a candidate (the paper takes the mean of four); ``repeats="avoid"`` mutates on.

    Args:
        population_size: The number of candidates drawn at random.
        share: Share of the population that a tournament draws, at least two.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Liu et al. 2018, ICLR, arXiv 1711.00436.
    """

    population_size: int = 200
    share: float = 0.05
    repeats: str = "avoid"

    version: ClassVar[int] = 2  # the first drew all edges alike
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Liu et al. 2018, arXiv 1711.00436"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        if self.population_size < 1 or not 0 < self.share <= 1:
            raise UsageError(
                "population_size is at least 1 and share in (0, 1], got "
                f"{self.population_size} and {self.share}; change them."
            )

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates first, then children of winners."""
        tournament = Tournament(2, self.share, replacement=False)
        return evolve(history, n, tournament, KeepAll(self.population_size), MutationByLevel(), self.repeats)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a quarter of the trials drawn at random, at most."""
        return replace(self, population_size=fitting(horizon, self.population_size))

    @classmethod
    def small(cls) -> Self:
        """Return 10 random candidates and tournaments of a fifth."""
        return cls(population_size=10, share=0.2)
