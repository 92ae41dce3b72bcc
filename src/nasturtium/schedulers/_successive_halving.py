"""Successive halving.

Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS (arXiv 1502.07943).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.schedulers._base import SCHEDULERS, Scheduler
from nasturtium.trials import Fidelity, History, Proposal, State, Trial, ranking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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

    def first(self, history: History, number: int) -> Fidelity:
        """Return the lowest rung."""
        del number
        return history.study.ladder[0].fidelity

    def promote(self, history: History) -> Proposal | None:
        """Return the best trial of a complete rung that has not gone on yet."""
        for rung, above, chosen, _ in self._closed_rungs(history):
            for number in chosen:
                trial = history.trial(number)
                if trial.state is State.PAUSED and trial.fidelity == rung:
                    return Proposal(trial.architecture, resume=number, fidelity=above)
        return None

    def retire(self, history: History) -> list[int]:
        """Return those that a complete rung did not promote."""
        return [number for _, _, _, left in self._closed_rungs(history) for number in left]

    def _closed_rungs(self, history: History) -> Iterator[tuple[Fidelity, Fidelity, list[int], list[int]]]:
        """Yield (rung, next rung, who goes on, who stays paused) for the complete rungs with a paused trial."""
        horizon = history.study.horizon
        brackets = sorted({trial.number // self.bracket for trial in history.trials(State.PAUSED)})
        for start in (self.bracket * bracket for bracket in brackets):
            end = start + self.bracket
            if horizon is not None and start < horizon < end and history.n_trials <= horizon:
                end = horizon  # the last bracket may be smaller
            if end > history.n_trials:
                continue  # the bracket is not full yet
            members: Sequence[int] = range(start, end)
            ladder = [rung.fidelity for rung in history.study.ladder]
            for level, (rung, above) in enumerate(itertools.pairwise(ladder)):
                if not all(_has_arrived(history.trial(number), rung) for number in members):
                    break
                size = max(1, (end - start) // self.eta ** (level + 1))
                losses = history.losses(at=rung)[list(members)]
                order = [members[i] for i in ranking(losses) if not np.isnan(losses[i]).any()]
                chosen = order[:size]
                yield rung, above, chosen, [n for n in members if n not in chosen and _waits(history.trial(n), rung)]
                members = chosen


def _waits(trial: Trial, rung: Fidelity) -> bool:
    """Whether a trial is paused at a rung."""
    return trial.state is State.PAUSED and trial.fidelity == rung


def _has_arrived(trial: Trial, rung: Fidelity) -> bool:
    """Whether a trial has ended its leg at a rung, or is past it, or over."""
    return trial.is_over or _waits(trial, rung) or (trial.fidelity != rung and trial.fidelity.covers(rung))
