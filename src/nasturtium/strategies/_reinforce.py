"""REINFORCE: a policy that samples architectures, moved along the gradient of the expected reward.

Zoph & Le 2017, "Neural Architecture Search with Reinforcement Learning", ICLR (arXiv 1611.01578),
section 3.2; Williams 1992, "Simple statistical gradient-following algorithms".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.policies import LSTM, Adam, Logits, Policy, Weights
from nasturtium.spaces import Decisions
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._controller import Controller, Examples, check_learner, longer, propose
from nasturtium.strategies._scalarization import CHEBYSHEV, Scalarization

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.trials import History, Proposal, Setting

TWO_LAYERS = LSTM(units=35, layers=2)
"""The controller of Zoph & Le 2017."""


@final
@STRATEGIES.register("reinforce")
@dataclass(frozen=True)
class Reinforce(Strategy):
    """Samples from a policy; each batch of results makes good decisions likelier (Zoph & Le 2017).

    After m results the policy ascends ``(1/m) sum_k sum_t grad log pi(a_t) (R_k - b)``. It never
    waits: what was sampled before the last update enters as if it were sampled after it, as in the
    paper's asynchronous training. ``learned`` says what becomes of failures.

    Departures: the decay of the baseline, which the paper leaves open, is NASNet's; the baseline counts
    the current batch in, and is corrected for its start as Adam's moments are. ``repeats="avoid"``
    samples until the architecture is new, after fifty known ones at random; the paper repeats it.

    Args:
        policy: ``lstm`` (the paper) or ``logits`` (NAS-Bench-201's).
        batch_size: m.
        learning_rate: Adam's.
        baseline_decay: Of the moving average of rewards that is b.
        entropy_weight: What the policy's entropy adds to what is ascended; the paper has none.
        reward: ``"paper"``: the accuracy cubed, or 80 / perplexity^2; else ``"accuracy"``,
            ``"cubed-accuracy"`` or ``"inverse-square"``.
        scalarization: Makes one number of several objectives.
        repeats: ``"avoid"`` or ``"allow"`` (the paper).

    References:
        Zoph & Le 2017, ICLR, arXiv 1611.01578.
    """

    policy: Policy = TWO_LAYERS
    batch_size: int = 8
    learning_rate: float = 0.0006
    baseline_decay: float = 0.95
    entropy_weight: float = 0.0
    reward: str = "paper"
    scalarization: Scalarization = CHEBYSHEV
    repeats: str = "avoid"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Zoph & Le 2017, arXiv 1611.01578"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_learner(self)

    def check(self, study: Setting) -> None:
        """Refuse a scalarization for another number of objectives."""
        self.scalarization.check(len(study.objectives))

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return architectures drawn from the policy that the results so far have made."""
        return propose(history, n, self)

    def update(self, controller: Controller, examples: Examples) -> tuple[Adam, Weights]:
        """Ascend the policy gradient."""
        passed = self.policy.forward(controller.weights, examples.batch)
        m = len(examples.advantages)
        by_log_probs = -np.repeat(examples.advantages, examples.batch.lengths) / m
        by_entropies = np.full(len(by_log_probs), -self.entropy_weight / m)
        gradient = passed.gradient(by_log_probs, by_entropies)
        return controller.optimizer.stepped(self.policy, controller.weights, gradient, self.learning_rate)

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with at least 25 updates, and steps that are longer where they are fewer."""
        batch_size = min(self.batch_size, max(1, horizon // 25))
        return replace(self, batch_size=batch_size, learning_rate=longer(self.learning_rate, horizon // batch_size))

    @classmethod
    def nasbench201(cls, learning_rate: float = 0.1) -> Reinforce:
        """Return the variant of NAS-Bench-201's authors: a table of logits, updated after each result.

        Args:
            learning_rate: Adam's; the paper does not give it.

        References:
            Dong & Yang 2020, ICLR, arXiv 2001.00326, section 4, and its code.
        """
        return Reinforce(Logits(), 1, learning_rate, baseline_decay=0.9, reward="accuracy", repeats="allow")

    @classmethod
    def small(cls) -> Self:
        """Return a table of logits that is updated after each result."""
        return cls(Logits(), 1, 0.1, baseline_decay=0.9, reward="accuracy")
