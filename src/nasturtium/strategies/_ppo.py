"""PPO: several clipped steps on each batch of results.

Zoph, Vasudevan, Shlens & Le 2018, "Learning Transferable Architectures for Scalable Image
Recognition", CVPR (arXiv 1707.07012), section 3 and appendix A; Schulman et al. 2017, "Proximal Policy
Optimization Algorithms" (arXiv 1707.06347), equation 7.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.policies import LSTM, Adam, Batch, Logits, Policy, Weights
from nasturtium.spaces import Decisions
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._controller import Controller, Examples, check_learner, longer, propose
from nasturtium.strategies._scalarization import CHEBYSHEV, Scalarization

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from nasturtium.policies import Pass
    from nasturtium.trials import History, Proposal, Setting

ONE_LAYER = LSTM(units=100, layers=1, spread=0.1)
"""The controller of Zoph et al. 2018."""


@final
@STRATEGIES.register("ppo")
@dataclass(frozen=True)
class PPO(Strategy):
    """Samples from a policy; after each batch of results it takes several clipped steps (Zoph et al. 2018).

    Each decision's ratio r of its probability to that under which it was sampled is held near 1: every
    step ascends ``(1/m) sum_k sum_t min(r A_k, clip(r, 1 - c, 1 + c) A_k)`` plus the weighted entropy,
    with ``A_k = R_k - b``. The older probabilities are computed again from the parameters that the
    proposal was sampled under, so that results of an older policy are corrected for. It never waits.

    Departures: clip range, number of steps and what r is a ratio of are not published and are ours. The
    baseline counts the current batch in. ``repeats="avoid"`` samples until the architecture is new,
    after fifty known ones at random.

    Args:
        policy: ``lstm`` (the paper) or ``logits``.
        batch_size: m.
        n_epochs: Steps taken on each batch.
        learning_rate: Adam's.
        clip: c.
        baseline_decay: Of the moving average of rewards that is b.
        entropy_weight: What the policy's entropy adds to what is ascended.
        reward: ``"accuracy"`` (the paper); also ``"paper"``, ``"cubed-accuracy"`` and
            ``"inverse-square"``, see ``reinforce``.
        scalarization: Makes one number of several objectives.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Zoph et al. 2018, CVPR, arXiv 1707.07012; Schulman et al. 2017, arXiv 1707.06347.
    """

    policy: Policy = ONE_LAYER
    batch_size: int = 20
    n_epochs: int = 10
    learning_rate: float = 0.00035
    clip: float = 0.2
    baseline_decay: float = 0.95
    entropy_weight: float = 0.00001
    reward: str = "accuracy"
    scalarization: Scalarization = CHEBYSHEV
    repeats: str = "avoid"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Zoph et al. 2018, arXiv 1707.07012"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_learner(self)
        if not self.n_epochs >= 1 or not self.clip > 0:
            raise UsageError(
                f"n_epochs is at least 1 and clip is positive, got {self.n_epochs} and {self.clip}; raise them."
            )

    def check(self, study: Setting) -> None:
        """Refuse a scalarization for another number of objectives."""
        self.scalarization.check(len(study.objectives))

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return architectures drawn from the policy that the results so far have made."""
        return propose(history, n, self)

    def update(self, controller: Controller, examples: Examples) -> tuple[Adam, Weights]:
        """Ascend the clipped objective."""
        optimizer, weights = controller.optimizer, controller.weights
        passed = self.policy.forward(weights, examples.batch)
        sampled = self._sampled(controller, examples, passed)
        m, lengths = len(examples.advantages), examples.batch.lengths
        advantages = np.repeat(examples.advantages, lengths)
        by_entropies = np.full(len(advantages), -self.entropy_weight / m)
        for epoch in range(self.n_epochs):
            if epoch > 0:
                passed = self.policy.forward(weights, examples.batch)
            slopes = clipped_slopes(passed.log_probs - sampled, advantages, self.clip)
            gradient = passed.gradient(-slopes / m, by_entropies)
            optimizer, weights = optimizer.stepped(self.policy, weights, gradient, self.learning_rate)
        return optimizer, weights

    def _sampled(self, controller: Controller, examples: Examples, passed: Pass) -> NDArray[np.float64]:
        """Return the log-probability of each step under the parameters that it was sampled with.

        Args:
            controller: Has the parameters.
            examples: The steps, and when they were sampled.
            passed: The same steps under the parameters of now.
        """
        walks, lengths = examples.batch.walks, examples.batch.lengths
        updates = np.repeat(examples.updates, lengths)
        found = passed.log_probs.copy()
        for update in sorted({*examples.updates} - {controller.n_updates}):
            batch = Batch(tuple(w for w, u in zip(walks, examples.updates, strict=True) if u == update))
            found[updates == update] = self.policy.forward(controller.weights_at(update), batch).log_probs
        return found

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with ten batches or batches of five, and longer steps where they are few."""
        batch_size = min(self.batch_size, max(5, horizon // 10))
        n_steps = self.n_epochs * horizon // batch_size
        return replace(self, batch_size=batch_size, learning_rate=longer(self.learning_rate, n_steps))

    @classmethod
    def small(cls) -> Self:
        """Return a table of logits and long steps."""
        return cls(Logits(), batch_size=10, learning_rate=0.1)


def clipped_slopes(
    log_ratios: NDArray[np.float64], advantages: NDArray[np.float64], clip: float
) -> NDArray[np.float64]:
    """Return the derivative of the clipped objective by each log-probability.

    It is ``r A``, and 0 where r has left the clip range in the direction that A asks for.

    Args:
        log_ratios: log r of each step, shape ``(n_steps,)``.
        advantages: A of each step, shape ``(n_steps,)``.
        clip: Half the width of the range around 1.

    Example:
        >>> clipped_slopes(np.log([1.0, 1.3, 1.3, 0.7]), np.array([2.0, 2.0, -2.0, -2.0]), 0.2)
        array([ 2. ,  0. , -2.6,  0. ])
    """
    ratios = np.exp(log_ratios)
    is_clipped = np.where(advantages > 0, ratios > 1 + clip, ratios < 1 - clip)
    slopes: NDArray[np.float64] = np.where(is_clipped, 0.0, ratios * advantages)
    return slopes
