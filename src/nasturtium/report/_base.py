"""What a report is about: a study's history, what it was created with, and its final results."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import inf, nan, sqrt
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.trials import INFEASIBLE, Limit, State, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.trials import History, Objective


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinalResults:
    """What became of one network of the front.

    Args:
        trial: Number of the search's trial.
        key: The graph's key.
        folder: Name of the folder that it was exported to; empty if it was not.
        params: Trainable parameters.
        flops: Multiply-accumulates for one example.
        epochs: Epochs that its weights were trained for.
        valid_error: In the search; NaN if it was not measured.
        test_error: Of these weights; NaN if the test data were not read.
        n_test: Number of test examples.
        weights: ``"final"`` (of the final training) or ``"search"``.
        objectives: The objectives' values in the search, by metric.
        counts_examples: Whether the error is a share of examples.
        tested: Every metric on the test data, by name, such as ``test_perplexity``.
    """

    trial: int
    key: str
    folder: str
    params: int
    flops: int
    epochs: int
    valid_error: float
    test_error: float
    n_test: int
    weights: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    counts_examples: bool = True
    tested: Mapping[str, float] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the test error; NaN where it is no share of examples."""
        return wilson(self.test_error, self.n_test) if self.counts_examples else (nan, nan)


@final
@dataclass(frozen=True)
class Findings:
    """Everything that a section of the report may look at.

    Args:
        history: The study.
        created: What the study's first event says of it. Besides what every study has, these may
            be there: ``command`` (text), ``plan`` (how the budget was divided), ``spent`` (seconds
            of the wall clock by phase), ``rejected_share`` (of draws that broke a limit),
            ``baseline_result`` (what became of the user's own network), ``by_hand_result`` (of one made
            by hand), ``seeds_result`` (of other seeds of the winner), ``cpu_seconds`` (by part).
        final: What became of the front's networks.
    """

    history: History
    created: Mapping[str, Any]
    final: Sequence[FinalResults] = ()

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials by number."""
        return self.history.trials()

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """Comparable losses, shape ``(n_trials, n_objectives)``; NaN where a limit is broken."""
        losses = self.history.losses().copy()
        losses[losses >= INFEASIBLE] = nan
        return losses

    @cached_property
    def front(self) -> list[Trial]:
        """The Pareto front; empty if no finished trial meets the limits.

        Of trials equal in every objective, the one that was delivered comes first.
        """
        found = [t for t in self.history.front() if not np.isnan(self.losses[t.number]).any()]
        return sorted(found, key=lambda t: (*self.losses[t.number], t.number not in self.by_trial))

    @property
    def n_points(self) -> int:
        """The number of points of the front: equal trials are one."""
        return len({tuple(self.losses[trial.number]) for trial in self.front})

    @property
    def breaks_limits(self) -> bool:
        """Whether a finished trial violates a limit."""
        losses = self.history.losses()
        return any((losses[t.number] >= INFEASIBLE).any() for t in self.trials if t.state is State.FINISHED)

    @property
    def best(self) -> Trial | None:
        """The trial of the front with the best first objective."""
        return self.front[0] if self.front else None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The study's objectives."""
        return self.history.study.objectives

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """All bounds: those on the space, then those on what is measured."""
        study = self.history.study
        return (*(Limit(cost, bound) for cost, bound in study.space.limits), *study.limits)

    @cached_property
    def by_trial(self) -> dict[int, FinalResults]:
        """The final results by the search's trial number."""
        return {entry.trial: entry for entry in self.final}

    @cached_property
    def seconds(self) -> float:
        """What all trials were charged."""
        return sum(trial.seconds for trial in self.trials)

    def count(self, *states: State) -> int:
        """Return the number of trials in these states."""
        return sum(trial.state in states for trial in self.trials)


def values_of(trial: Trial) -> dict[str, float]:
    """Return the latest value of every metric of a trial, report metrics last."""
    return {**trial.metrics, **trial.report}


def wilson(error: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the interval of a share that was seen on n independent examples.

    Args:
        error: The share that was seen, in [0, 1].
        n: Number of examples.
        z: Quantile of the normal distribution; the default gives 95 %.

    Returns:
        Lower and upper end, in [0, 1]; NaN for no examples or no error value.

    Example:
        >>> low, high = wilson(0.1, 100)
        >>> f"{low:.4f} {high:.4f}"
        '0.0552 0.1744'

    References:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if n < 1 or not 0 <= error <= 1:
        return nan, nan
    spread = z * sqrt(error * (1 - error) / n + z * z / (4 * n * n))
    middle, scale = error + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def is_finite(value: float) -> bool:
    """Return whether a value is neither NaN nor infinite."""
    return -inf < value < inf
