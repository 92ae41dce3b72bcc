"""Batches of walks, and the softmax over tokens with its derivatives; what all policies share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nasturtium.policies._walk import Head, Step, Walk


@final
@dataclass(frozen=True, eq=False)
class Group:
    """All steps of a batch that answer one question.

    Args:
        head: The question.
        rows: Their places among the steps of the batch, shape ``(n,)``.
        tokens: Their answers, shape ``(n,)``.
        legal: Which tokens were legal, shape ``(n, n_tokens)``; None if all were, everywhere.
    """

    head: Head
    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    legal: NDArray[np.bool_] | None


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Walks, whose steps are numbered one walk after the other."""

    walks: tuple[Walk, ...]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of steps of each walk, shape ``(n_walks,)``."""
        return np.array([len(walk) for walk in self.walks], dtype=np.int64)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps, shape ``(n_steps,)``."""
        return tuple(step for walk in self.walks for step in walk)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The steps by question, in the order in which the questions come up."""
        found: dict[str, list[int]] = {}
        for row, step in enumerate(self.steps):
            found.setdefault(step.head.name, []).append(row)
        return tuple(self._group(rows) for rows in found.values())

    def _group(self, rows: Sequence[int]) -> Group:
        steps = [self.steps[row] for row in rows]
        head = steps[0].head
        tokens = np.array([step.token for step in steps], dtype=np.int64)
        legal = None
        if any(step.legal is not None for step in steps):
            everything = np.ones(head.n_tokens, dtype=bool)
            legal = np.array([everything if step.legal is None else step.legal for step in steps])
        return Group(head, np.array(rows, dtype=np.int64), tokens, legal)


class Softmax(NamedTuple):
    """What follows from the outputs of a policy at the steps of one group.

    Args:
        log_probs: log of the probability of each answer, shape ``(n,)``.
        entropies: Entropy of each distribution, in nats, shape ``(n,)``.
        probs: The distributions, shape ``(n, n_tokens)``.
        logs: Their logarithms, 0 where the probability is 0.
    """

    log_probs: NDArray[np.float64]
    entropies: NDArray[np.float64]
    probs: NDArray[np.float64]
    logs: NDArray[np.float64]


def distribution(
    outputs: NDArray[np.floating], head: Head, legal: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities of tokens and their logarithms, 0 where a token is not legal; to 64 bits.

    Args:
        outputs: What a policy puts out, shape ``(..., n_outputs)``.
        head: The question.
        legal: Which tokens are legal, shape ``(..., n_tokens)``; None for all.
    """
    logits = outputs.astype(np.float64, copy=False)
    if head.members is not None:
        logits = logits @ head.members.T
    if legal is not None:
        logits = np.where(legal, logits, -np.inf)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    total = weights.sum(axis=-1, keepdims=True)
    logs = shifted - np.log(total)
    return weights / total, logs if legal is None else np.where(legal, logs, 0.0)


def softmax(outputs: NDArray[np.floating], group: Group) -> Softmax:
    """Return log-probabilities and entropies of a group.

    Args:
        outputs: What a policy puts out at the group's steps, shape ``(n, n_outputs)``.
        group: The steps.
    """
    probs, logs = distribution(outputs, group.head, group.legal)
    taken = logs[np.arange(len(group.tokens)), group.tokens]
    return Softmax(taken, -(probs * logs).sum(axis=-1), probs, logs)


def softmax_gradient(
    found: Softmax, group: Group, log_probs: NDArray[np.float64], entropies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the derivative by a policy's outputs, shape ``(n, n_outputs)``.

    Args:
        found: What ``softmax`` gave.
        group: The steps.
        log_probs: Derivative by the log-probabilities, shape ``(n,)``.
        entropies: Derivative by the entropies, shape ``(n,)``.
    """
    logits = -log_probs[:, None] * found.probs
    logits[np.arange(len(group.tokens)), group.tokens] += log_probs
    if entropies.any():
        logits -= entropies[:, None] * found.probs * (found.logs + found.entropies[:, None])
    return logits if group.head.members is None else logits @ group.head.members
