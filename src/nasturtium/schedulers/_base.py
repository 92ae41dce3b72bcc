"""The contract of a scheduler: how far each trial goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from nasturtium._registry import Registry
from nasturtium.trials import Decision, Fidelity, History, Measurement, Proposal, Setting, Trial


class Scheduler(ABC):
    """Divides effort among trials: where legs end, who goes on, who stops early.

    A scheduler is an immutable record of its arguments, and its methods are pure.

    Class attributes:
        reference: The publication, for the docs.
    """

    reference: ClassVar[str] = ""

    @abstractmethod
    def first(self, study: Setting) -> Fidelity:
        """Return where a new trial's first leg ends, unless its proposal says."""

    def promote(self, history: History) -> Proposal | None:
        """Return the paused trial that goes on (``resume``) and to what fidelity, or None.

        Asked before the strategy, whenever a worker is free.
        """
        del history
        return None

    def decide(self, history: History, trial: Trial, measurement: Measurement) -> Decision:
        """Return whether a trial goes on after a measurement."""
        del history, trial, measurement
        return Decision.CONTINUE


SCHEDULERS: Registry[Scheduler] = Registry("scheduler", "nasturtium.schedulers")
