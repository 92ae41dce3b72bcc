"""Budget: how long a study goes on; checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import final

from nasturtium.errors import UsageError
from nasturtium.trials import History, State


@final
@dataclass(frozen=True)
class Budget:
    """When a study is full; None means no bound, and at least one must be given.

    Args:
        trials: Number of trials in the whole study, those before a resume included.
        seconds: Seconds of the executor's clock, from the start or resume on.
        epochs: Epochs trained in the whole study.

    Raises:
        UsageError: A bound is not positive, or there is none.
    """

    trials: int | None = None
    seconds: float | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        """Check the bounds."""
        bounds = {"trials": self.trials, "seconds": self.seconds, "epochs": self.epochs}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        if not given:
            raise UsageError("a budget needs a bound, got none; give trials=, seconds= or epochs=.")
        for name, bound in given.items():
            if not bound > 0:
                raise UsageError(f"a budget is positive, got {name}={bound}; raise it.")

    def is_spent(self, history: History, elapsed: float) -> bool:
        """Return whether nothing may begin any more, a paused trial's next leg included."""
        if self.seconds is not None and elapsed >= self.seconds:
            return True
        return self.epochs is not None and history.n_epochs >= self.epochs

    def room(self, history: History, elapsed: float, n_running: int) -> int:
        """Return how many new trials may still begin; 0 means that the budget is used up.

        A trial that would, by the median of the last finished ones, end after the time is not
        begun, unless nothing else is running or finished.
        """
        if self.is_spent(history, elapsed):
            return 0
        if self.seconds is not None:
            finished = [history.trial(n) for n in history.completed[-21:]]
            typical = [t.seconds for t in finished if t.state is State.FINISHED]
            if typical and elapsed + median(typical) > self.seconds:
                return 0
            if not typical and n_running and elapsed > 0.5 * self.seconds:
                return 0
        return 1_000_000 if self.trials is None else max(self.trials - history.n_trials, 0)

    def left(self, elapsed: float) -> float | None:
        """Return the seconds that are left, or None if there is no bound."""
        return None if self.seconds is None else max(0.0, self.seconds - elapsed)
