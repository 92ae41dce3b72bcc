"""Random search: the baseline that every method must beat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import check_repeats, drawn, generator, unseen
from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("random-search")
@dataclass(frozen=True)
class RandomSearch(Strategy):
    """Draws every candidate at random from the space.

    Args:
        repeats: ``"avoid"`` draws without repetition, ``"allow"`` with.

    References:
        Li & Talwalkar 2019, "Random Search and Reproducibility for NAS" (arXiv 1902.07638).
    """

    repeats: str = "avoid"

    multi_objective: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = True
    reference: ClassVar[str] = "Li & Talwalkar 2019, arXiv 1902.07638"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return n random candidates, or fewer if a finite space has no more."""
        space = history.study.space
        batch: set[str] = set()
        proposals: list[Proposal] = []
        for number in range(history.n_trials, history.n_trials + n):
            rng = generator(history, number)
            if self.repeats == "allow":
                found = drawn(history, partial(space.sample, rng), rng, is_first=number == 0)
            else:
                found = unseen(history, batch, lambda _, rng=rng: space.sample(rng), rng)  # type: ignore[misc]
            if found is None:
                break
            proposals.append(Proposal(found))
        return proposals
