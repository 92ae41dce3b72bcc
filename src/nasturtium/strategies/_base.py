"""The contract of a search strategy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from nasturtium._registry import Registry
from nasturtium.errors import RequirementError
from nasturtium.trials import History, Proposal, Setting, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self


class Strategy(ABC):
    """Decides what to evaluate next, from the history alone.

    A strategy is an immutable record of its constructor's arguments. ``ask`` is a pure function
    of those and the history: a fresh object given the same history proposes the same, in any
    process. Derived state, such as a controller's parameters, is accumulated by ``history.fold``.

    Class attributes:
        requires: Capabilities that the space must have, such as ``Decisions``.
        multi_objective: Whether it handles several objectives.
        resumes: Whether it proposes to go on with paused trials, which needs no room in a budget
            of trials; such a strategy is asked until the end.
        whole_space: Whether it proposes the whole space (one-shot methods).
        is_baseline: Whether it is exempt from beating random search.
        reference: The publication, for the docs.
    """

    requires: ClassVar[tuple[type, ...]] = ()
    multi_objective: ClassVar[bool] = False
    resumes: ClassVar[bool] = False
    whole_space: ClassVar[bool] = False
    is_baseline: ClassVar[bool] = False
    reference: ClassVar[str] = ""

    @abstractmethod
    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return up to ``n`` proposals, the first of which becomes trial ``history.n_trials``.

        Asking for fewer gives the first of those that asking for more gives. Fewer than ``n`` with
        trials under way means "wait for them"; none with nothing under way means "finished".
        Randomness comes from a generator a trial, see ``operators.generator``.
        """

    def ahead(self, history: History) -> int:
        """Return how many proposals, from the next on, no trial that ends meanwhile can change; by default 1.

        So a generation is asked for at once, whatever the number of workers. Where a trial that ends
        changes the fidelity at which ``losses`` compares, the proposals are asked for anew.
        """
        del history
        return 1

    def keeps(self, history: History) -> Iterable[int]:
        """Return the numbers of the trials whose checkpoints are still needed: the finished ones."""
        return (trial.number for trial in history.trials(State.FINISHED))

    def check(self, study: Setting) -> None:
        """Refuse a study that the arguments do not fit, before anything runs; by default none.

        Raises:
            UsageError: An argument is for another study, such as a weight for each objective.
        """
        del study

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with default schedules fitted to an expected number of trials."""
        del horizon
        return self

    @classmethod
    def small(cls) -> Self:
        """Return the settings under which laws and toy comparisons run."""
        return cls()


STRATEGIES: Registry[Strategy] = Registry("strategy", "nasturtium.strategies")


def check_fit(strategy: Strategy, study: Setting) -> None:
    """Refuse a strategy that lacks what the study has.

    Raises:
        RequirementError: The space lacks a capability, or there are too many objectives.
        UsageError: An argument of the strategy does not fit the study.
    """
    name = STRATEGIES.name_of(type(strategy)) or type(strategy).__name__
    for capability in strategy.requires:
        if not study.space.supports(capability):
            raise RequirementError(
                f"{name} needs a space with {capability.__name__}, got {type(study.space).__name__}; take another."
            )
    if len(study.objectives) > 1 and not strategy.multi_objective:
        metrics = [o.metric for o in study.objectives]
        raise RequirementError(f"{name} handles one objective, got {metrics}; take one, or another strategy.")
    strategy.check(study)
