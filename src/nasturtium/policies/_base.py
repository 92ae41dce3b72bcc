"""The contract of a policy: a distribution over the architectures of any decision space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

from nasturtium._registry import Registry
from nasturtium.policies._batch import Batch, distribution
from nasturtium.policies._walk import head_of, legal_tokens, value_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nasturtium.policies._walk import Head, Walk
    from nasturtium.spaces import Architecture, Decision, Decisions, Value

Arrays = Mapping[str, "NDArray[np.floating]"]
"""Parameters, or derivatives by them, by name. They are never changed in place."""


@final
@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """A policy's parameters.

    What was never trained is not in here: it has its initial value, a function of seed and name. So a
    policy needs no list of a space's decisions beforehand, and questions may come up late.

    Args:
        seed: Of the initial values.
        arrays: What was trained, by name.
    """

    seed: int
    arrays: Arrays


class Rollout(ABC):
    """One walk on its way; it is asked and told step by step."""

    @abstractmethod
    def outputs(self, path: str, head: Head) -> NDArray[np.floating]:
        """Return the policy's outputs at the next step, shape ``(n_outputs,)``."""

    @abstractmethod
    def take(self, path: str, head: Head, token: int) -> None:
        """Go on with an answer to the step that ``outputs`` was asked for."""


class Pass(ABC):
    """The probabilities of a batch's walks, and the way back to the parameters.

    Attributes:
        log_probs: log of each step's probability, shape ``(n_steps,)``.
        entropies: Entropy of each step's distribution in nats, shape ``(n_steps,)``.
    """

    log_probs: NDArray[np.float64]
    entropies: NDArray[np.float64]

    @abstractmethod
    def gradient(self, log_probs: NDArray[np.float64], entropies: NDArray[np.float64]) -> Arrays:
        """Return derivatives by the parameters that the batch touches.

        Args:
            log_probs: Derivative of a scalar by ``log_probs``, shape ``(n_steps,)``.
            entropies: Derivative of the same scalar by ``entropies``, shape ``(n_steps,)``.
        """


class Policy(ABC):
    """Gives every architecture of a decision space a probability, step by step.

    A frozen dataclass of hyper-parameters; the parameters are handed in. What a policy computes is a
    function of its arguments alone.
    """

    @abstractmethod
    def initial(self, seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
        """Return a parameter's value before any training (do not change it)."""

    @final
    def parameter(self, weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
        """Return a parameter's value now."""
        known = weights.arrays.get(name)
        return self.initial(weights.seed, name, shape) if known is None else known

    @abstractmethod
    def rollout(self, weights: Weights) -> Rollout:
        """Begin a walk."""

    @abstractmethod
    def forward(self, weights: Weights, batch: Batch) -> Pass:
        """Return the probabilities of walks."""


POLICIES: Registry[Policy] = Registry("policy", "nasturtium.policies")


class Draw(NamedTuple):
    """An architecture that a policy has constructed.

    Args:
        architecture: The architecture.
        entropy: Sum of the entropies of the distributions on the way, in nats.
    """

    architecture: Architecture
    entropy: float


Known = dict[tuple[object, ...], "tuple[NDArray[np.float64], NDArray[np.float64]]"]
"""Distributions that were computed before, with their logarithms, by the answers that led there."""


def draw(
    policy: Policy,
    weights: Weights,
    space: Decisions,
    rng: np.random.Generator | None,
    known: Known | None = None,
) -> Draw:
    """Return an architecture drawn from the policy; limits are ignored.

    Args:
        policy: The policy.
        weights: Its parameters.
        space: The space.
        rng: Draws; None takes the likeliest answer at every step instead.
        known: What earlier draws with the same policy and weights have computed; filled further. So a
            policy that is nearly sure costs little to draw from again and again.
    """
    rollout = policy.rollout(weights)
    known = {} if known is None else known
    entropy = 0.0
    taken: tuple[int, ...] = ()
    behind: list[tuple[str, Head, int]] = []  # steps that the rollout was spared so far

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        nonlocal entropy, taken
        head = head_of(decision)
        legal = legal_tokens(decision, head, prefix)
        place = (taken, head.name, None if legal is None else legal.tobytes())
        is_new = place not in known
        if is_new:
            for path, question, answer in behind:
                rollout.outputs(path, question)
                rollout.take(path, question, answer)
            behind.clear()
            known[place] = distribution(rollout.outputs(decision.path, head), head, legal)
        probs, logs = known[place]
        entropy -= float(probs @ logs)
        if rng is None:
            token = int(probs.argmax())
        else:
            token = min(int(probs.cumsum().searchsorted(rng.random(), side="right")), last_possible(probs))
        if is_new:
            rollout.take(decision.path, head, token)
        else:
            behind.append((decision.path, head, token))
        taken = (*taken, token)
        return value_of(decision, head, token, rng)

    return Draw(space.construct(choose), entropy)


def last_possible(probs: NDArray[np.float64]) -> int:
    """Return the last token with a probability; rounding may leave the cumulated sum below 1."""
    return int(probs.nonzero()[0][-1])


def log_probability(policy: Policy, weights: Weights, walk: Walk) -> float:
    """Return the log of the probability of an architecture, of whose real numbers the bins count."""
    shares: float = sum(step.share for step in walk)
    return float(policy.forward(weights, Batch((walk,))).log_probs.sum()) + shares
