"""Q-learning: a table of what each decision is worth, learned by replaying what was found.

Baker, Gupta, Naik & Raskar 2017, "Designing Neural Network Architectures using Reinforcement
Learning" (MetaQNN), ICLR (arXiv 1611.02167), section 4 and algorithms 1 to 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.policies import walk_of
from nasturtium.policies._walk import head_of, legal_tokens, value_of
from nasturtium.spaces import Architecture, Decision, Decisions, Value
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import REDRAWS, check_repeats, drawn, generator, unseen
from nasturtium.strategies._scalarization import CHEBYSHEV, Scalarization, Seen, check_reward, is_usable, rewarded
from nasturtium.trials import History, Proposal, Setting, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

    from nasturtium.policies import Head, Walk

METAQNN = ((1.0, 1500), *((e, 100) for e in (0.9, 0.8, 0.7)), *((e, 150) for e in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)))
"""The paper's schedule: (epsilon, number of new architectures); 2,700 in all."""

SHOWN_EVERY = 8
"""Every so many proposals, one carries the architecture that is worth most, for the report."""


class Move(NamedTuple):
    """A state and the action taken there.

    Args:
        state: The decision, the answer before it, and which answers are legal.
        action: Which of the legal answers was taken.
        n_legal: Number of legal answers.
    """

    state: str
    action: int
    n_legal: int


@final
@dataclass(frozen=True, eq=False)
class QTable:
    """What was learned after some completed trials.

    Args:
        values: The worth of each legal answer by state, where it has changed from its initial value.
        memory: The moves that led to each architecture, and its reward.
        seen: What has been seen of the losses.
        worst: The least reward so far; None before any.
    """

    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    memory: tuple[tuple[tuple[Move, ...], float], ...] = ()
    seen: Seen = field(default_factory=Seen)
    worst: float | None = None


@final
@STRATEGIES.register("q-learning")
@dataclass(frozen=True)
class QLearning(Strategy):
    """Takes at each decision the answer worth most, or with epsilon any (MetaQNN, Baker et al. 2017).

    A state is a decision with the answer before it and the answers that are legal, so that what a rule
    forbids is never valued and never taken; in a chain of layers that is depth, last layer, and what
    can follow. After each result, trajectories are drawn from all so far and replayed from the end:
    ``Q(last) += alpha (reward - Q)``, ``Q(earlier) += alpha (max Q(next) - Q)``.

    Departures: ``repeats="avoid"`` draws on until an architecture is new, where the paper uses the known
    accuracy once more, which adds replays but no knowledge; with ``"allow"`` a repeated architecture is
    in the memory as often as it was evaluated. A trial that failed, has no value or breaks a limit gets
    the worst reward so far; while there is none it is left out. Long intervals are cut into bins.

    Args:
        schedule: (epsilon, number of new architectures) pairs; the last epsilon stays.
        alpha: Step of an update.
        n_replays: Trajectories replayed after each result.
        initial: Worth of an answer never replayed; 0.5 as in the paper's appendix D.1.
        reward: ``"accuracy"`` (the paper); see ``reinforce``. It should be of the order of ``initial``.
        scalarization: Makes one number of several objectives.
        repeats: ``"avoid"`` or ``"allow"``.

    References:
        Baker et al. 2017, ICLR, arXiv 1611.02167.
    """

    schedule: tuple[tuple[float, int], ...] = METAQNN
    alpha: float = 0.01
    n_replays: int = 100
    initial: float = 0.5
    reward: str = "accuracy"
    scalarization: Scalarization = CHEBYSHEV
    repeats: str = "avoid"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Baker et al. 2017, arXiv 1611.02167"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_repeats(self.repeats)
        check_reward(self.reward)
        if not self.schedule or any(not 0 <= epsilon <= 1 or not 1 <= n < inf for epsilon, n in self.schedule):
            raise UsageError(
                f"a schedule has (epsilon in [0, 1], number of at least 1) pairs, got {self.schedule}; mend it."
            )
        if not 0 < self.alpha <= 1 or not self.n_replays >= 1 or not isfinite(self.initial):
            raise UsageError(
                f"alpha is in (0, 1], n_replays at least 1 and initial finite, got {self.alpha}, {self.n_replays} and "
                f"{self.initial}; change them."
            )

    def check(self, study: Setting) -> None:
        """Refuse a scalarization for another number of objectives."""
        self.scalarization.check(len(study.objectives))

    def epsilon(self, n_new: int) -> float:
        """Return epsilon after so many new architectures.

        Example:
            >>> [QLearning().epsilon(n) for n in (0, 1499, 1500, 2699, 5000)]
            [1.0, 1.0, 0.9, 0.1, 0.1]
        """
        for epsilon, n in self.schedule:
            if n_new < n:
                return epsilon
            n_new -= n
        return self.schedule[-1][0]

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return architectures of which each decision is the best known, or with epsilon any."""
        table = self.learned(history)
        batch: set[str] = set()
        proposals: list[Proposal] = []
        for number in range(history.n_trials, history.n_trials + n):
            rng = generator(history, number)
            epsilon = self.epsilon(len(history.identities | batch))
            agent = _Agent(history.study.space, table, self.initial, epsilon, rng)
            if self.repeats == "allow":
                found = drawn(history, agent.draw, rng, is_first=number == 0)
            else:
                found = unseen(history, batch, lambda _, draw=agent.draw: draw(), rng)  # type: ignore[misc]
            if found is None:
                break
            attributes: dict[str, Any] = {"epsilon": epsilon}
            if number % SHOWN_EVERY == 0:
                attributes["likeliest"] = agent.greedy().to_json()
            proposals.append(Proposal(found, attributes=attributes))
        return proposals

    def learned(self, history: History) -> QTable:
        """Return the table after the completed trials."""
        study = history.study
        space = study.space
        assert isinstance(space, Decisions)
        losses = history.losses()

        def step(table: QTable, trial: Trial) -> QTable:
            if trial.architecture is None:
                return table
            row = losses[trial.number]
            seen, reward = table.seen, table.worst
            if is_usable(row):
                seen = seen.beside(row)
                reward = rewarded(self.reward, self.scalarization, study.objectives, row, seen)
            if reward is None:
                return table
            worst = reward if table.worst is None else min(table.worst, reward)
            memory = (*table.memory, (moves_of(walk_of(space, trial.architecture)), reward))
            values = self._replayed(table.values, memory, generator(history, -1 - trial.number))
            return QTable(values, memory, seen, worst)

        return history.fold((self, history.compared_at), QTable, step)

    def _replayed(
        self,
        values: Mapping[str, tuple[float, ...]],
        memory: tuple[tuple[tuple[Move, ...], float], ...],
        rng: np.random.Generator,
    ) -> dict[str, tuple[float, ...]]:
        """Return the values after replays of trajectories drawn uniformly from the memory (algorithm 3)."""
        rows: dict[str, list[float]] = {}
        for index in rng.integers(len(memory), size=self.n_replays).tolist():
            moves, target = memory[index]
            for state, action, n_legal in reversed(moves):
                row = rows.get(state)
                if row is None:
                    row = rows[state] = list(values.get(state, (self.initial,) * n_legal))
                row[action] += self.alpha * (target - row[action])
                target = max(row)  # what the move before leads to
        return {**values, **{state: tuple(row) for state, row in rows.items()}}

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with the schedule shortened in proportion to the expected trials."""
        total = sum(n for _, n in self.schedule)
        if total <= horizon:
            return self
        ends = np.cumsum([n for _, n in self.schedule]) * horizon / total
        lengths = [b - a for a, b in pairwise([0, *(round(end) for end in ends.tolist())])]
        return replace(self, schedule=tuple((e, n) for (e, _), n in zip(self.schedule, lengths, strict=True) if n))

    @classmethod
    def small(cls) -> Self:
        """Return a schedule of 150 trials."""
        return cls(schedule=((1.0, 20), (0.5, 20), (0.2, 110)), alpha=0.1, initial=0.0)


def moves_of(walk: Walk) -> tuple[Move, ...]:
    """Return the states and actions of a walk."""
    moves = []
    before = ""
    for step in walk:
        state = state_of(before, step.head, step.legal)
        if step.legal is None:
            moves.append(Move(state, step.token, step.head.n_tokens))
        else:
            moves.append(Move(state, int(step.legal[: step.token].sum()), int(step.legal.sum())))
        before = f"{step.head.name}={step.token}"
    return tuple(moves)


def state_of(before: str, head: Head, legal: NDArray[np.bool_] | None) -> str:
    """Return the state at a decision, given the question and answer before."""
    mask = "" if legal is None else np.packbits(legal).tobytes().hex()
    return f"{before} {head.name} {mask}"


@final
class _Agent:
    """Walks through the decisions of one trial."""

    def __init__(self, space: Any, table: QTable, initial: float, epsilon: float, rng: np.random.Generator) -> None:
        self._space = space
        self._table = table
        self._initial = initial
        self._epsilon = epsilon
        self._rng = rng

    def draw(self) -> Architecture:
        """Return an epsilon-greedy draw within the limits; where there is none, a random one."""
        for _ in range(REDRAWS):
            found = self._walked(self._epsilon, self._rng)
            if self._space.is_feasible(found):
                return found
        sampled: Architecture = self._space.sample(self._rng)
        return sampled

    def greedy(self) -> Architecture:
        """Return the architecture of the answers worth most, the first of those alike."""
        return self._walked(0.0, None)

    def _walked(self, epsilon: float, rng: np.random.Generator | None) -> Architecture:
        before = ""

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            nonlocal before
            head = head_of(decision)
            legal = legal_tokens(decision, head, prefix)
            tokens = range(head.n_tokens) if legal is None else np.flatnonzero(legal).tolist()
            row = self._table.values.get(state_of(before, head, legal), (self._initial,) * len(tokens))
            if rng is None:
                token = tokens[row.index(max(row))]
            elif rng.random() < epsilon:
                token = tokens[int(rng.integers(len(tokens)))]
            else:
                best = [token for token, value in zip(tokens, row, strict=True) if value == max(row)]
                token = best[int(rng.integers(len(best)))]
            before = f"{head.name}={token}"
            return value_of(decision, head, token, rng)

        found: Architecture = self._space.construct(choose)
        return found
