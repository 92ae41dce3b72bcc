"""Adam, the optimizer of the policies' parameters, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nasturtium.policies._base import Arrays, Policy, Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class _Moments(NamedTuple):
    first: NDArray[np.floating]
    second: NDArray[np.floating]
    n_steps: int


@final
@dataclass(frozen=True, eq=False, slots=True)
class Adam:
    """Adam's moments; ``stepped`` returns the next ones beside the next weights.

    A parameter without a derivative stays as it is and so do its moments, as in PyTorch.

    References:
        Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", arXiv 1412.6980, algorithm 1.
    """

    moments: Mapping[str, _Moments] = field(default_factory=dict)

    def stepped(self, policy: Policy, weights: Weights, gradient: Arrays, rate: float) -> tuple[Adam, Weights]:
        """Return what a step down the gradient gives.

        Args:
            policy: Gives the parameters that were not trained before.
            weights: The parameters.
            gradient: Derivatives of what is minimized.
            rate: The learning rate.
        """
        moments, arrays = dict(self.moments), dict(weights.arrays)
        for name, g in gradient.items():
            old = moments.get(name)
            n = 1 if old is None else old.n_steps + 1
            scratch = (1 - BETA_1) * g
            first = scratch if old is None else BETA_1 * old.first + scratch
            scratch = np.square(g)
            scratch *= 1 - BETA_2
            second = scratch if old is None else BETA_2 * old.second + scratch
            change = np.sqrt(second)  # in place from here: large arrays cost more to make than to fill
            change /= np.sqrt(1 - BETA_2**n)
            change += EPSILON
            np.divide(first, change, out=change)
            change *= -rate / (1 - BETA_1**n)
            change += policy.parameter(weights, name, g.shape)
            arrays[name] = change
            moments[name] = _Moments(first, second, n)
        return Adam(moments), Weights(weights.seed, arrays)


BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
"""The paper's constants."""
