"""Regularized (aging) evolution.

Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image Classifier Architecture Search",
AAAI (arXiv 1802.01548), algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import Evolution, fitting
from nasturtium.strategies._operators import check_repeats
from nasturtium.strategies._parents import Tournament
from nasturtium.strategies._removal import Oldest
from nasturtium.strategies._variation import Mutation

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("regularized-evolution")
@dataclass(frozen=True)
class RegularizedEvolution(Strategy):
    """Mutates the winner of a tournament; the oldest of the population dies, whatever its loss.

    Departures: "oldest" is the earliest finished, so that asynchronous runs are reproducible.
    ``repeats="avoid"`` mutates on until the child is new, where the paper evaluates a repeated
    child again. Of several objectives the tournament's winner is the loneliest of the best front.

    Args:
        population_size: P; as many candidates are drawn at random first.
        sample_size: S, the draws of a tournament, with replacement.
        identity_rate: Probability that the child equals its parent, if repeats are allowed.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Real et al. 2019, AAAI, arXiv 1802.01548.
    """

    population_size: int = 100
    sample_size: int = 25
    identity_rate: float = 0.05
    repeats: str = "avoid"

    version: ClassVar[int] = 2  # draws otherwise than the first for several objectives, and for identity_rate=0
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Real et al. 2019, arXiv 1802.01548"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        if self.population_size < 1 or self.sample_size < 1 or not 0 <= self.identity_rate < 1:
            raise UsageError(
                "population_size and sample_size are at least 1 and identity_rate in [0, 1), got "
                f"{self.population_size}, {self.sample_size} and {self.identity_rate}; change them."
            )

    @cached_property
    def _composed(self) -> Evolution:
        """The composition; made once, since its arguments are checked longer than a parent is chosen."""
        variation = Mutation(self.identity_rate if self.repeats == "allow" else 0.0)
        return Evolution(Tournament(self.sample_size), Oldest(self.population_size), variation, self.repeats)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates up to the population's size, then children of winners."""
        return self._composed.ask(history, n)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that turns over about four times."""
        population = fitting(horizon, self.population_size)
        return replace(self, population_size=population, sample_size=max(2, population // 4))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10 and tournaments of 5."""
        return cls(population_size=10, sample_size=5)
