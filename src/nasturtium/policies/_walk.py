"""Walks: an architecture as the sequence of tokens by which a policy constructs it.

Every decision of a space is a question with a fixed number of answers, the tokens: a value of a list
is a token, a whole number of a short interval too, and any other interval is cut into ``N_BINS`` parts
of equal length on its scale, of which the policy chooses one; within it the number is uniform. What a
rule forbids after the earlier choices is masked. A decision that an earlier one opens is asked only
where it was opened.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations
from math import log
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.spaces import Architecture, Categorical, Decision, Decisions, Interval, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

N_BINS = 16
"""Into how many parts an interval is cut; one with no more whole numbers has a token for each."""


@final
@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """A question: what a policy has parameters for.

    Args:
        name: Identifies it across processes: the decision's path and a hash of its values.
        n_tokens: Number of answers.
        members: Of subsets, which elements each token holds, shape ``(n_tokens, n_elements)``; a
            token's logit is then the sum of its elements', so that without bounds on the size each
            element is in with a probability of its own.
        skip_from: Where the output comes from that the decision takes or leaves; None for others.
        first: Of an interval in bins, the first whole number of each bin and the end; else empty.
    """

    name: str
    n_tokens: int
    members: NDArray[np.float64] | None = None
    skip_from: str | None = None
    first: tuple[int, ...] = ()

    @property
    def n_outputs(self) -> int:
        """The number of logits that a policy gives: one a token, or one an element of subsets."""
        return self.n_tokens if self.members is None else self.members.shape[1]


@final
@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One decision and its answer.

    Args:
        path: The decision's path.
        head: The question.
        token: The answer.
        legal: Which tokens were legal, shape ``(n_tokens,)``; None if all were.
        share: log of the probability of the value, given its token: 0 but for bins of whole numbers.
    """

    path: str
    head: Head
    token: int
    legal: NDArray[np.bool_] | None = None
    share: float = 0.0


Walk = tuple[Step, ...]
"""The decisions of one architecture in order."""


@lru_cache(maxsize=16_384)
def head_of(decision: Decision) -> Head:
    """Return the question that a decision is."""
    if isinstance(decision, Interval):
        return _interval_head(decision)
    members = _members(decision.values)
    name = _name(decision.path, decision.values)
    return Head(name, len(decision.values), members, skip_from=decision.skip_from)


def _name(path: str, content: object) -> str:
    return f"{path} {blake2b(repr(content).encode(), digest_size=6).hexdigest()}"


def _interval_head(interval: Interval) -> Head:
    name = _name(interval.path, (interval.low, interval.high, interval.is_log, interval.is_integer))
    if not interval.is_integer:
        return Head(name, N_BINS if interval.high > interval.low else 1)
    numbers = range(int(interval.low), int(interval.high) + 1)
    if len(numbers) <= N_BINS:
        return Head(name, len(numbers))
    cuts = [bisect_left(numbers, i / N_BINS, key=lambda v: interval.position(v, {})) for i in range(N_BINS)]
    return Head(name, N_BINS, first=(*(numbers[0] + cut for cut in cuts), numbers[-1] + 1))


def _members(values: tuple[Value, ...]) -> NDArray[np.float64] | None:
    """Return which elements each value holds, if the values are the subsets of some sizes."""
    if len(values) < 4 or not all(isinstance(value, tuple) for value in values):
        return None
    sets = [value for value in values if isinstance(value, tuple)]
    elements = tuple(dict.fromkeys(element for chosen in sets for element in chosen))
    sizes = range(len(sets[0]), len(sets[-1]) + 1)
    if tuple(chosen for size in sizes for chosen in combinations(elements, size)) != values:
        return None
    return np.array([[float(element in chosen) for element in elements] for chosen in sets])


def legal_tokens(decision: Decision, head: Head, prefix: Mapping[str, Value]) -> NDArray[np.bool_] | None:
    """Return which tokens are legal after the earlier choices, shape ``(n_tokens,)``; None for all."""
    if head.first:
        spans = np.diff(head.first) > 0  # a bin of a logarithmic scale may hold no whole number
        return None if spans.all() else spans
    if not isinstance(decision, Categorical) or decision.rule is None:
        return None
    options = decision.options(prefix)
    if len(options) == len(decision.values):
        return None
    return np.array([value in options for value in decision.values])


def value_of(decision: Decision, head: Head, token: int, rng: np.random.Generator | None) -> Value:
    """Return the value that a token stands for; of a bin a uniform draw, or without a generator its middle."""
    if isinstance(decision, Categorical):
        return decision.values[token]
    if head.first:
        low, high = head.first[token : token + 2]
        return int(rng.integers(low, high)) if rng is not None else (low + high) // 2
    if decision.is_integer:
        return int(decision.low) + token
    within = 0.5 if rng is None else float(rng.random())
    return decision.at((token + within) / head.n_tokens, {})


def step_of(decision: Decision, value: Value, prefix: Mapping[str, Value]) -> Step:
    """Return the step that answers a decision with a legal value."""
    head = head_of(decision)
    legal = legal_tokens(decision, head, prefix)
    if isinstance(decision, Categorical):
        return Step(decision.path, head, decision.values.index(value), legal)
    if head.first:
        assert isinstance(value, int)
        token = int(np.searchsorted(head.first, value, side="right")) - 1
        return Step(decision.path, head, token, legal, -log(head.first[token + 1] - head.first[token]))
    if decision.is_integer:
        assert isinstance(value, int)
        return Step(decision.path, head, value - int(decision.low))
    return Step(decision.path, head, int(decision.position(value, prefix) * head.n_tokens))


def walk_of(space: Decisions, architecture: Architecture) -> Walk:
    """Return the steps that lead to an architecture of the space.

    Example:
        >>> from nasturtium.spaces import choice, decisions, integer
        >>> space = decisions(op=choice("conv", "pool"), width=integer(1, 3))
        >>> [step.token for step in walk_of(space, Architecture({"op": "pool", "width": 3}))]
        [1, 2]
    """
    prefix: dict[str, Value] = {}
    steps = []
    for decision, value in space.trace(architecture):
        steps.append(step_of(decision, value, prefix))
        prefix[decision.path] = value
    return tuple(steps)
