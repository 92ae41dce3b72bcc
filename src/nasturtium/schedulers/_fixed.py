"""The scheduler that gives every trial the same effort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.schedulers._base import SCHEDULERS, Scheduler
from nasturtium.trials import Fidelity, Setting


@final
@SCHEDULERS.register("fixed")
@dataclass(frozen=True)
class Fixed(Scheduler):
    """Takes every trial to the highest rung of the estimator's ladder."""

    def first(self, study: Setting) -> Fidelity:
        """Return the highest rung."""
        return study.ladder[-1].fidelity
