"""The controller: a policy trained on the trials it proposed; what REINFORCE and PPO share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.policies import Adam, Batch, Known, Policy, Weights, draw, walk_of
from nasturtium.spaces import Architecture, Decisions
from nasturtium.strategies._operators import REDRAWS, check_repeats, drawn, generator, unseen
from nasturtium.strategies._scalarization import Scalarization, Seen, check_reward, is_usable, rewarded
from nasturtium.trials import History, Proposal, Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.policies import Walk

N_PAST = 16
"""Parameters of how many updates are kept; who was sampled under older ones teaches nothing."""


@final
@dataclass(frozen=True, slots=True)
class Experience:
    """One trial of the batch that is being filled.

    Args:
        walk: How the policy constructs its architecture.
        update: After how many updates it was sampled.
        losses: Its losses, shape ``(n_objectives,)``; None if it failed.
    """

    walk: Walk
    update: int
    losses: NDArray[np.float64] | None


@final
@dataclass(frozen=True, slots=True)
class Examples:
    """What an update learns from.

    Args:
        batch: The walks.
        advantages: Reward minus baseline, shape ``(n_walks,)``.
        updates: After how many updates each walk was sampled.
    """

    batch: Batch
    advantages: NDArray[np.float64]
    updates: tuple[int, ...]


@final
@dataclass(frozen=True, eq=False)
class Controller:
    """A controller's state after some completed trials.

    Args:
        weights: The policy's parameters.
        optimizer: The optimizer's moments.
        n_updates: The number of updates so far.
        batch: What has been seen since the last update.
        seen: What has been seen of the losses.
        average: Decayed sum of the batches' mean rewards, and of their weights.
        worst: The least reward so far; None before any.
        past: The parameters before each of the latest updates, the newest last.
    """

    weights: Weights
    optimizer: Adam = field(default_factory=Adam)
    n_updates: int = 0
    batch: tuple[Experience, ...] = ()
    seen: Seen = field(default_factory=Seen)
    average: tuple[float, float] = (0.0, 0.0)
    worst: float | None = None
    past: tuple[Weights, ...] = ()

    def weights_at(self, update: int) -> Weights:
        """Return the parameters after some number of updates, at most ``N_PAST`` ago."""
        return self.weights if update == self.n_updates else self.past[update - self.n_updates]


class Learner(Protocol):
    """A strategy with a policy, its arguments and how it learns from a batch."""

    @property
    def policy(self) -> Policy:
        """What is trained."""

    @property
    def batch_size(self) -> int:
        """As many trials of its own, in the order in which they ended, make an update."""

    @property
    def learning_rate(self) -> float:
        """The optimizer's."""

    @property
    def baseline_decay(self) -> float:
        """What an earlier batch counts in the baseline, relative to the one after it."""

    @property
    def entropy_weight(self) -> float:
        """What the policy's entropy adds to what is ascended."""

    @property
    def reward(self) -> str:
        """A name of a reward, see ``REWARDS``."""

    @property
    def scalarization(self) -> Scalarization:
        """Merges several objectives."""

    @property
    def repeats(self) -> str:
        """``"avoid"`` or ``"allow"``."""

    def update(self, controller: Controller, examples: Examples) -> tuple[Adam, Weights]:
        """Return what a batch makes of optimizer and parameters."""


def check_learner(learner: Learner) -> None:
    """Check the arguments that the methods share.

    Raises:
        UsageError: One is out of range.
    """
    check_repeats(learner.repeats)
    check_reward(learner.reward)
    if not learner.batch_size >= 1 or not 0 <= learner.baseline_decay < 1:
        raise UsageError(
            f"batch_size is at least 1 and baseline_decay in [0, 1), got {learner.batch_size} and "
            f"{learner.baseline_decay}; change them."
        )
    if not 0 < learner.learning_rate < inf or not 0 <= learner.entropy_weight < inf:
        raise UsageError(
            f"learning_rate is positive and entropy_weight at least 0, both finite, got {learner.learning_rate} and "
            f"{learner.entropy_weight}; change them."
        )


def learned(history: History, learner: Learner) -> Controller:
    """Return the controller after the completed trials: parameters as a function of the history.

    Trials that were not proposed by the controller, or under parameters that are no longer kept, are
    left out: their probability is not known. A trial that failed, has no value or breaks a limit gets
    the worst reward so far, that of its own batch included; while there is none it is left out, too.
    """
    study = history.study
    space = study.space
    assert isinstance(space, Decisions)
    losses = history.losses()

    def start() -> Controller:
        return Controller(Weights(study.seed, {}))

    def step(controller: Controller, trial: Trial) -> Controller:
        sampled = trial.proposal.attributes.get("update")
        if trial.architecture is None or not isinstance(sampled, int):
            return controller
        if not controller.n_updates - len(controller.past) <= sampled <= controller.n_updates:
            return controller
        row = losses[trial.number]
        usable = row if is_usable(row) else None
        seen = controller.seen if usable is None else controller.seen.beside(usable)
        batch = (*controller.batch, Experience(walk_of(space, trial.architecture), sampled, usable))
        filled = replace(controller, batch=batch, seen=seen)
        return filled if len(batch) < learner.batch_size else _updated(filled, history, learner)

    return history.fold((learner, history.compared_at), start, step)


def _updated(controller: Controller, history: History, learner: Learner) -> Controller:
    """Return the controller after an update with its full batch, which is then empty."""
    objectives = history.study.objectives
    rewards = [
        None
        if e.losses is None
        else rewarded(learner.reward, learner.scalarization, objectives, e.losses, controller.seen)
        for e in controller.batch
    ]
    known = [reward for reward in rewards if reward is not None]
    worst = min([*known, *([] if controller.worst is None else [controller.worst])], default=None)
    next_one = replace(controller, batch=(), n_updates=controller.n_updates + 1, worst=worst)
    if worst is None:
        return replace(next_one, past=(*controller.past, controller.weights)[-N_PAST:])
    values = np.array([worst if reward is None else reward for reward in rewards])
    total, weight = controller.average
    total = learner.baseline_decay * total + (1 - learner.baseline_decay) * float(values.mean())
    weight = learner.baseline_decay * weight + (1 - learner.baseline_decay)
    batch = Batch(tuple(e.walk for e in controller.batch))
    examples = Examples(batch, values - total / weight, tuple(e.update for e in controller.batch))
    optimizer, weights = learner.update(controller, examples)
    past = (*controller.past, controller.weights)[-N_PAST:]
    return replace(next_one, optimizer=optimizer, weights=weights, average=(total, weight), past=past)


# --- proposals -----------------------------------------------------------------------------------


def propose(history: History, n: int, learner: Learner) -> list[Proposal]:
    """Return draws from the policy that the results so far have made; fewer if a finite space has no more.

    Where fifty draws were known already, the next ones are random; they teach as if the policy had drawn
    them, so that a policy that is sure learns of what it no longer tries. Each proposal carries the
    number of the update it was sampled after, and for the report the entropy of the
    distributions it was drawn from; the first after an update carries the policy's likeliest
    architecture, too.
    """
    policy, controller = learner.policy, learned(history, learner)
    batch: set[str] = set()
    proposals: list[Proposal] = []
    for number in range(history.n_trials, history.n_trials + n):
        sampler = _Sampler(history, policy, controller.weights, number)
        if learner.repeats == "allow":
            found = drawn(history, sampler.draw, sampler.rng, is_first=number == 0)
        else:
            found = unseen(history, batch, lambda _, draw=sampler.draw: draw(), sampler.rng)  # type: ignore[misc]
        if found is None:
            break
        attributes: dict[str, Any] = {"update": controller.n_updates, "entropy": round(sampler.entropy, 3)}
        if not proposals and _is_new(history, controller.n_updates):
            assert isinstance(history.study.space, Decisions)
            attributes["likeliest"] = draw(policy, controller.weights, history.study.space, None).architecture.to_json()
        proposals.append(Proposal(found, attributes=attributes))
    return proposals


def _is_new(history: History, update: int) -> bool:
    """Return whether nothing was sampled after that update yet."""
    if not history.n_trials:
        return True
    return bool(history.trial(history.n_trials - 1).proposal.attributes.get("update") != update)


class _Sampler:
    """Draws one trial's architecture."""

    def __init__(self, history: History, policy: Policy, weights: Weights, number: int) -> None:
        self._space = history.study.space
        self._policy = policy
        self._weights = weights
        self._known: Known = {}
        self._n_draws = 0
        self.rng = generator(history, number)
        self.entropy = 0.0

    def draw(self) -> Architecture:
        """Return a draw within the limits; a random one where the policy finds none, or none that is new."""
        assert isinstance(self._space, Decisions)
        self._n_draws += 1
        for _ in range(REDRAWS if self._n_draws <= REDRAWS // 2 else 0):  # a sure policy knows but one candidate
            found, self.entropy = draw(self._policy, self._weights, self._space, self.rng, self._known)
            if self._space.is_feasible(found):
                return found
        return self._space.sample(self.rng)


def longer(learning_rate: float, n_steps: int) -> float:
    """Return a learning rate for so few steps: they add up to 0.5, if the given rate is not longer.

    Adam moves a parameter by about the learning rate a step; in the paper's 1,600 steps of 0.0006 it
    can go 0.96. Steps longer than 0.02 make a policy collapse.

    Example:
        >>> longer(0.0006, 25), longer(0.0006, 1_600)
        (0.02, 0.0006)
    """
    return max(learning_rate, min(0.02, 0.5 / max(n_steps, 1)))
