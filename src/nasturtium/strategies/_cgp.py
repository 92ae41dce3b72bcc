"""Cartesian genetic programming: a (1 + lambda) strategy with neutral drift.

Suganuma, Shirakawa & Nagao 2017, "A Genetic Programming Approach to Designing Convolutional Neural
Network Architectures", GECCO (arXiv 1704.00764), section 3.3; constants of the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Decisions, Networks, Space
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._evolution import evolve
from nasturtium.strategies._operators import check_repeats, generator
from nasturtium.strategies._parents import Uniform
from nasturtium.strategies._removal import Generational, Members
from nasturtium.strategies._variation import PerDecision, check_rate, flipped

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("cgp")
@dataclass(frozen=True)
class CGP(Strategy):
    """One parent, a few children; the best child takes over if it is strictly better.

    Children mutate gene by gene, again until the network differs. While no child is better, the
    parent's genes drift where its network does not change. Departure: "differs" is said of the
    network (``space.identity``), where the authors ask for a change in an active gene.

    Args:
        n_children: lambda, the children of a generation.
        rate: Probability that a gene changes.
        has_drift: Whether the parent's inactive genes drift.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Suganuma et al. 2017, GECCO, arXiv 1704.00764.
    """

    n_children: int = 2
    rate: float = 0.05
    has_drift: bool = True
    repeats: str = "avoid"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    reference: ClassVar[str] = "Suganuma et al. 2017, arXiv 1704.00764"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        check_rate(self.rate)
        if self.n_children < 1:
            raise UsageError(f"n_children is at least 1, got {self.n_children}; raise it.")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's children; none while the one before is not over."""
        removal = Generational(1, n_children=self.n_children, n_elite=1)
        variation = PerDecision(self.rate, is_forced=True)
        return evolve(history, n, Uniform(), removal, variation, self.repeats, partial(self.parent, history))

    def parent(self, history: History, number: int) -> Architecture | None:
        """Return the parent as it has drifted since trial ``number`` measured it."""
        if not self.has_drift or not history.study.space.supports(Networks):
            return history.architecture(number)
        losses, removal = history.losses(), Generational(1, n_children=self.n_children, n_elite=1)

        def step(state: tuple[Members, Architecture | None], generation: int) -> tuple[Members, Architecture | None]:
            before, genes = state
            now = removal.succeeding(before, generation, losses)
            if now != before:
                return now, history.architecture(now[0]) if now else None
            if genes is None:
                return now, genes
            rng = generator(history, -2 - generation)
            return now, drifted(history.study.space, genes, self.rate, rng)

        n = removal.generation(history.n_settled)
        return history.iterate((self, history.compared_at), n, lambda: ((), None), step)[1]

    @classmethod
    def small(cls) -> Self:
        """Return the strategy with more mutation, for short genomes."""
        return cls(rate=0.1)


def drifted(space: Space, architecture: Architecture, rate: float, rng: np.random.Generator) -> Architecture:
    """Return the architecture with each gene changed with a probability where the network stays.

    The changes that alter the network, alone or after the others, are left out.
    """
    before = space.identity(architecture)
    for path, value in flipped(space, architecture, rate, rng).items():
        if architecture.get(path, value) != value:
            changed = architecture.changed(path, value)
            if changed in space and space.identity(changed) == before:
                architecture = changed
    return architecture
