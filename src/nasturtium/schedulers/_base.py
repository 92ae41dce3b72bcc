"""The contract of a scheduler: how far each trial goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from nasturtium._registry import Registry
from nasturtium.trials import Decision, Fidelity, History, Measurement, Proposal, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Scheduler(ABC):
    """Divides effort among trials: where legs end, who goes on, who stops early.

    A scheduler is an immutable record of its arguments, and its methods are pure.

    Class attributes:
        reference: The publication, for the docs.
    """

    reference: ClassVar[str] = ""

    @abstractmethod
    def first(self, history: History, number: int) -> Fidelity:
        """Return where the first leg of a new trial ends, unless its proposal says."""

    def promote(self, history: History) -> Proposal | None:
        """Return the paused trial that goes on (``resume``) and to what fidelity, or None.

        Asked before the strategy, whenever a worker is free.
        """
        del history
        return None

    def retire(self, history: History) -> Sequence[int]:
        """Return the paused trials that will never go on; they end as stopped, and free their checkpoints.

        Asked before ``promote``.
        """
        del history
        return ()

    def decide(self, history: History, trial: Trial, measurement: Measurement) -> Decision:
        """Return whether a trial goes on after a measurement."""
        del history, trial, measurement
        return Decision.CONTINUE

    def predict(self, history: History, trial: Trial) -> Mapping[str, float]:
        """Return the values that a trial would have had in the end, asked when ``decide`` stops it.

        They are stored, and count in ``history.losses``; none by default.
        """
        del history, trial
        return {}


SCHEDULERS: Registry[Scheduler] = Registry("scheduler", "nasturtium.schedulers")
