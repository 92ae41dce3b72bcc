"""Regularized (aging) evolution.

Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image Classifier Architecture Search",
AAAI (arXiv 1802.01548), algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import check_repeats, drawn, generator, tournament, unseen, youngest
from nasturtium.trials import History, Proposal

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.spaces import Architecture


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

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return random candidates up to the population's size, then children of winners."""
        batch: set[str] = set()
        proposals: list[Proposal] = []
        population, losses = youngest(history, self.population_size)
        for number in range(history.n_trials, history.n_trials + n):
            rng = generator(history, number)
            parents: tuple[int, ...] = ()
            if number >= self.population_size and len(population):
                parents = (int(population[tournament(losses, self.sample_size, rng)]),)
            elif number >= self.population_size and history.n_under_way:
                break  # nobody to mutate yet
            child = self._child(history, number, batch, parents, rng)
            if child is None:
                break
            proposals.append(Proposal(child, parents=parents))
        return proposals

    def _child(
        self, history: History, number: int, batch: set[str], parents: tuple[int, ...], rng: np.random.Generator
    ) -> Architecture | None:
        space = history.study.space
        parent = history.architecture(parents[0]) if parents else None

        def draw(rejected: Architecture | None) -> Architecture:
            origin = rejected or parent
            if parent is None or origin is None:
                return space.sample(rng)
            try:
                return space.mutate(origin, rng)
            except NoFeasibleNeighbor:  # no way on from here within the limits
                return space.sample(rng)

        if self.repeats == "avoid":
            return unseen(history, batch, draw, rng)
        if parent is not None and rng.random() < self.identity_rate:
            return parent
        return drawn(history, lambda: draw(None), rng, is_first=number == 0)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with a population that turns over about four times."""
        population = int(np.clip(horizon // 4, 4, self.population_size))
        return replace(self, population_size=population, sample_size=max(2, population // 4))

    @classmethod
    def small(cls) -> Self:
        """Return a population of 10 and tournaments of 5."""
        return cls(population_size=10, sample_size=5)
