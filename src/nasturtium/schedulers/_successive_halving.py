"""Successive halving.

Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS (arXiv 1502.07943).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.schedulers._base import SCHEDULERS, Scheduler
from nasturtium.trials import Fidelity, History, Proposal, Setting, State, ranking


@final
@SCHEDULERS.register("successive-halving")
@dataclass(frozen=True)
class SuccessiveHalving(Scheduler):
    """Takes a bracket of trials to the lowest rung, the best 1/eta of them to the next, and so on.

    Trials are bracketed by number: the first ``bracket`` of them, the next, and so on. A rung
    promotes when all its trials have ended there; failed ones are never promoted. Departure: rungs
    are those of the estimator's ladder, where the paper divides a total budget.

    Args:
        bracket: Number of trials that start together.
        eta: One in eta is promoted.

    References:
        Jamieson & Talwalkar 2016, AISTATS, arXiv 1502.07943.
    """

    bracket: int = 9
    eta: int = 3

    reference: ClassVar[str] = "Jamieson & Talwalkar 2016, arXiv 1502.07943"

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.bracket < 1 or self.eta < 2:
            raise UsageError(f"bracket is at least 1 and eta at least 2, got {self.bracket} and {self.eta}.")

    def first(self, study: Setting) -> Fidelity:
        """Return the lowest rung."""
        return study.ladder[0].fidelity

    def promote(self, history: History) -> Proposal | None:
        """Return the best trial of a complete rung that has not gone on yet."""
        for start in range(0, history.n_trials - self.bracket + 1, self.bracket):
            members: Sequence[int] = range(start, start + self.bracket)
            for level, (rung, above) in enumerate(zip(history.study.ladder, history.study.ladder[1:], strict=False)):
                chosen = self._survivors(history, members, rung.fidelity, level)
                for number in chosen:
                    trial = history.trial(number)
                    if trial.state is State.PAUSED and trial.fidelity == rung.fidelity:
                        return Proposal(trial.architecture, resume=number, fidelity=above.fidelity)
                if not chosen:
                    break
                members = chosen
        return None

    def _survivors(self, history: History, members: Sequence[int], rung: Fidelity, level: int) -> list[int]:
        """Return who goes on from a rung; nobody while somebody is still on the way to it."""
        for number in members:
            trial = history.trial(number)
            arrived = trial.is_over or trial.fidelity.rank > rung.rank
            if not arrived and not (trial.state is State.PAUSED and trial.fidelity == rung):
                return []
        losses = history.losses(at=rung)[list(members)]
        order = [members[i] for i in ranking(losses) if not np.isnan(losses[i]).any()]
        return order[: self.bracket // self.eta ** (level + 1)]
