"""The logits table: every decision has a distribution of its own, whatever was chosen before.

Dong & Yang 2020, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search"
(arXiv 2001.00326), section 4, whose REINFORCE has this policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.policies._base import POLICIES, Arrays, Pass, Policy, Rollout, Weights
from nasturtium.policies._batch import Batch, Softmax, softmax, softmax_gradient
from nasturtium.policies._initial import generator_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.policies._walk import Head


@final
@POLICIES.register("logits")
@dataclass(frozen=True)
class Logits(Policy):
    """A table of logits, a row for each decision (Dong & Yang 2020).

    Args:
        spread: Standard deviation of the initial logits.

    Example:
        >>> from nasturtium.policies import log_probability, walk_of
        >>> from nasturtium.spaces import choice, decisions
        >>> space = decisions(op=choice("conv", "pool"), kernel=choice(1, 3, 5))
        >>> chances = [np.exp(log_probability(Logits(), Weights(0, {}), walk_of(space, a))) for a in space]
        >>> f"{min(chances):.2f} {sum(chances):.6f}"
        '0.17 1.000000'

    References:
        Dong & Yang 2020, ICLR, arXiv 2001.00326.
    """

    spread: float = 0.001

    def __post_init__(self) -> None:
        """Check the argument."""
        if not 0 <= self.spread < inf:
            raise UsageError(f"spread is at least 0 and finite, got {self.spread}; change it.")

    def initial(self, seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return a row that is nearly uniform."""
        return _initial(seed, name, shape, self.spread)

    def row(self, weights: Weights, head: Head) -> NDArray[np.floating]:
        """Return a decision's logits, shape ``(n_outputs,)``."""
        return self.parameter(weights, head.name, (head.n_outputs,))

    def rollout(self, weights: Weights) -> Rollout:
        """Begin a walk."""
        return _Rollout(self, weights)

    def forward(self, weights: Weights, batch: Batch) -> Pass:
        """Return the probabilities of walks."""
        return _Pass(self, weights, batch)


@lru_cache(maxsize=16_384)
def _initial(seed: int, name: str, shape: tuple[int, ...], spread: float) -> NDArray[np.float64]:
    return generator_of(seed, name).normal(0.0, spread, shape)


@final
class _Rollout(Rollout):
    def __init__(self, policy: Logits, weights: Weights) -> None:
        self._policy = policy
        self._weights = weights

    def outputs(self, path: str, head: Head) -> NDArray[np.floating]:
        """Return the decision's row."""
        del path
        return self._policy.row(self._weights, head)

    def take(self, path: str, head: Head, token: int) -> None:
        """Do nothing: no decision depends on others."""
        del path, head, token


@final
class _Pass(Pass):
    def __init__(self, policy: Logits, weights: Weights, batch: Batch) -> None:
        self._batch = batch
        self._found: list[Softmax] = []
        self.log_probs = np.zeros(len(batch.steps))
        self.entropies = np.zeros(len(batch.steps))
        for group in batch.groups:
            outputs = np.broadcast_to(policy.row(weights, group.head), (len(group.rows), group.head.n_outputs))
            found = softmax(outputs, group)
            self._found.append(found)
            self.log_probs[group.rows], self.entropies[group.rows] = found.log_probs, found.entropies

    def gradient(self, log_probs: NDArray[np.float64], entropies: NDArray[np.float64]) -> Arrays:
        """Return derivatives by the rows."""
        gradients: dict[str, NDArray[np.float64]] = {}
        for group, found in zip(self._batch.groups, self._found, strict=True):
            by_outputs = softmax_gradient(found, group, log_probs[group.rows], entropies[group.rows])
            gradients[group.head.name] = by_outputs.sum(axis=0)
        return gradients
