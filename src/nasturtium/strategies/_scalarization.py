"""Scalarization: several objectives as one number, and that number as a reward."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium._registry import Registry
from nasturtium.errors import UsageError, arguments_of
from nasturtium.trials import INFEASIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from nasturtium.trials import Objective


@final
@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """What a strategy has seen of the losses so far, each of shape ``(n_objectives,)``; None before any.

    Args:
        first: The first trial's.
        least: The least of each objective.
        most: The greatest of each objective.
    """

    first: NDArray[np.float64] | None = None
    least: NDArray[np.float64] | None = None
    most: NDArray[np.float64] | None = None

    def beside(self, row: NDArray[np.float64]) -> Seen:
        """Return what has been seen after one more trial's losses."""
        if self.first is None or self.least is None or self.most is None:
            return Seen(row, row, row)
        return replace(self, least=np.minimum(self.least, row), most=np.maximum(self.most, row))


class Scalarization(ABC):
    """Makes one number of several losses."""

    @abstractmethod
    def check(self, n_objectives: int) -> None:
        """Refuse a number of objectives that the arguments do not fit.

        Raises:
            UsageError: There are other numbers than it takes.
        """

    @abstractmethod
    def quality(self, losses: NDArray[np.float64], seen: Seen) -> float:
        """Return how good a trial is, at best about 1.

        Args:
            losses: Its losses, shape ``(n_objectives,)``, at least two, no NaN.
            seen: What was seen so far, these losses too.
        """


SCALARIZATIONS: Registry[Scalarization] = Registry("scalarization", "nasturtium.scalarizations")


@final
@SCALARIZATIONS.register("chebyshev")
@dataclass(frozen=True)
class Chebyshev(Scalarization):
    """One minus the greatest weighted loss, each scaled by the range of what was seen so far.

    Args:
        weights: A weight for each objective, the greatest 1; none means 1 for all.

    Example:
        >>> seen = Seen().beside(np.array([0.1, 100.0])).beside(np.array([0.3, 500.0]))
        >>> round(Chebyshev().quality(np.array([0.1, 300.0]), seen), 6)
        0.5

    References:
        Steuer & Choo 1983, "An interactive weighted Tchebycheff procedure".
    """

    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the weights."""
        if not all(0 <= weight < inf for weight in self.weights) or (self.weights and not any(self.weights)):
            raise UsageError(f"weights are finite, at least 0 and one is positive, got {self.weights}; change them.")

    def check(self, n_objectives: int) -> None:
        """Refuse another number of weights than one an objective."""
        _check_length("a weight for each objective", self.weights, n_objectives)

    def quality(self, losses: NDArray[np.float64], seen: Seen) -> float:
        """Return a number in [0, 1]; 1 is the best of every objective."""
        assert seen.least is not None
        assert seen.most is not None
        weights = np.array(self.weights or (1.0,) * len(losses))
        span = seen.most - seen.least
        scaled = np.where(span > 0, (losses - seen.least) / np.where(span > 0, span, 1.0), 0.5)
        return 1.0 - float((weights / weights.max() * scaled).max())


@final
@SCALARIZATIONS.register("mnasnet")
@dataclass(frozen=True)
class MnasNetReward(Scalarization):
    """Accuracy times a power of every other metric's ratio to its target: ``(1 - error) (m / target)^w``.

    The other metrics are positive, as latency, parameters and FLOPs are.

    Args:
        exponent: w, the same below and above the target (the paper's soft constraint).
        targets: A target for each objective after the first; none means the first trial's values,
            where the paper has a latency in mind.

    References:
        Tan et al. 2019, "MnasNet: Platform-Aware Neural Architecture Search for Mobile", CVPR, arXiv
        1807.11626, equation 2, alpha = beta = -0.07.
    """

    exponent: float = -0.07
    targets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not -inf < self.exponent <= 0 or not all(0 < target < inf for target in self.targets):
            got = arguments_of(self, "exponent", "targets")
            raise UsageError(f"exponent is at most 0, targets are positive, both finite, got {got}; change them.")

    def check(self, n_objectives: int) -> None:
        """Refuse another number of targets than one an objective after the first."""
        _check_length("a target for each objective after the first", self.targets, n_objectives - 1)

    def quality(self, losses: NDArray[np.float64], seen: Seen) -> float:
        """Return the paper's reward."""
        assert seen.first is not None
        targets = np.array(self.targets) if self.targets else seen.first[1:]
        ratios = np.maximum(losses[1:], TINY) / np.maximum(targets, TINY)
        return float((1 - losses[0]) * np.prod(ratios**self.exponent))


TINY = 1e-3
"""Stands for metrics that are not positive, of which no power can be taken."""


def _check_length(what: str, given: tuple[float, ...], n: int) -> None:
    if given and len(given) != n:
        raise UsageError(f"the scalarization takes {what}, here {n}, got {list(given)}; give as many, or none.")


# --- rewards -------------------------------------------------------------------------------------


def _identity(quality: float) -> float:
    return quality


def _cubed(quality: float) -> float:
    return quality**3


def _inverse_square(quality: float) -> float:
    return 80.0 / max(1.0 - quality, 1.0) ** 2  # a perplexity is at least 1


REWARDS: dict[str, Callable[[float], float]] = {
    "accuracy": _identity,
    "cubed-accuracy": _cubed,
    "inverse-square": _inverse_square,
}
"""What a reward is made of: of an error e, 1 - e or its cube; of a perplexity p, 80 / p^2 (Zoph & Le 2017)."""


def check_reward(reward: str) -> None:
    """Check the argument ``reward``.

    Raises:
        UsageError: It is no name of a reward.
    """
    if reward != "paper" and reward not in REWARDS:
        raise UsageError(f"reward is one of {['paper', *REWARDS]}, got {reward!r}; choose one of them.")


def rewarded(
    reward: str, scalarization: Scalarization, objectives: Sequence[Objective], losses: NDArray[np.float64], seen: Seen
) -> float:
    """Return the reward for a trial.

    Args:
        reward: A name of ``REWARDS``; ``"paper"`` is that of a perplexity where the first objective is
            one, else the cubed accuracy.
        scalarization: Merges several objectives; one alone is 1 - loss, or the metric if it is maximized.
        objectives: The study's.
        losses: The trial's, shape ``(n_objectives,)``, no NaN.
        seen: What was seen so far.
    """
    if len(objectives) == 1:
        quality = float(-losses[0]) + (0.0 if objectives[0].maximize else 1.0)
    else:
        quality = scalarization.quality(losses, seen)
    if reward == "paper":
        is_perplexity = len(objectives) == 1 and objectives[0].metric.endswith("perplexity")
        reward = "inverse-square" if is_perplexity else "cubed-accuracy"
    return REWARDS[reward](quality)


def is_usable(losses: NDArray[np.float64]) -> bool:
    """Return whether a trial has a value of every objective and breaks no limit."""
    return bool((losses < INFEASIBLE).all())  # NaN is not less


CHEBYSHEV = Chebyshev()
"""The default."""
