"""Optimizers that keep state, asked and told, as pure functions of the history.

Every proposal notes how many completed trials its optimizer had been told of. So the order of asks
and tells follows from the history, and an optimizer that lives through it again is the same one.
One that has lived through a part of it already goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan, nan
from typing import TYPE_CHECKING, Protocol, final

from nasturtium.trials import Proposal, State

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from nasturtium.spaces import Architecture
    from nasturtium.trials import History, Trial

TOLD = "told"
"""The attribute of a proposal that holds how many trials its optimizer had been told of."""

Step = tuple[int, tuple[float, ...] | None]
"""What an optimizer lives through: (number, None) asks for that trial, (number, losses) tells of it."""


class AskAndTell(Protocol):
    """An optimizer, seeded, at its beginning."""

    def ask(self, number: int) -> Architecture | None:
        """Return the architecture of trial ``number``; None if nothing is left to propose."""

    def tell(self, number: int, architecture: Architecture, losses: tuple[float, ...]) -> None:
        """Take the losses of a trial, which it may not have been asked for."""


@final
@dataclass
class _Life:
    """An optimizer and what it has lived through; kept by a history's memo."""

    optimizer: AskAndTell | None = None
    steps: list[Step] = field(default_factory=list)


def proposals(history: History, n: int, key: Hashable, start: Callable[[], AskAndTell]) -> list[Proposal]:
    """Return what an optimizer proposes next, up to n proposals.

    It is told of each trial that has losses when the trial is over, and of no other.

    Args:
        history: Which the optimizer lives through.
        n: How often it is asked.
        key: Identifies ``start``.
        start: Makes the optimizer, always the same.
    """
    life = history.fold((key, "life"), _Life, _unchanged)
    steps = list(_steps(history))
    if life.optimizer is None or life.steps != steps[: len(life.steps)]:
        life.optimizer, life.steps = start(), []
    for number, losses in steps[len(life.steps) :]:
        if losses is None:
            life.optimizer.ask(number)
        else:
            architecture = history.architecture(number)
            assert architecture is not None
            life.optimizer.tell(number, architecture, losses)
    life.steps = steps
    found = []
    for number in range(history.n_trials, history.n_trials + n):
        architecture = life.optimizer.ask(number)
        if architecture is None:
            life.optimizer = None  # an ask in vain is in no history
            break
        life.steps.append((number, None))
        found.append(Proposal(architecture, attributes={TOLD: len(history.completed)}))
    return found


def _unchanged(life: _Life, trial: Trial) -> _Life:
    """Return the same: what it has lived through is compared with the history when it is used."""
    del trial
    return life


def _steps(history: History) -> Iterator[Step]:
    """Yield asks and tells in the order in which the optimizer had them."""
    completed = history.completed
    n_told = 0
    for number in range(history.n_trials):
        noted = history.trial(number).proposal.attributes.get(TOLD)
        if noted is not None:
            yield from _tells(history, completed[n_told:noted])
            n_told = max(n_told, noted)
            yield number, None
    yield from _tells(history, completed[n_told:])


def _tells(history: History, numbers: list[int]) -> Iterator[Step]:
    for number in numbers:
        trial = history.trial(number)
        losses = tuple(o.loss(trial.metrics.get(o.metric, nan)) for o in history.study.objectives)
        is_known = trial.state in (State.FINISHED, State.STOPPED) and trial.architecture is not None
        if is_known and not any(map(isnan, losses)):
            yield number, losses
