"""Nevergrad's optimizers as a strategy, to compare with what people use today.

Rapin & Teytaud 2018, "Nevergrad - A gradient-free optimization platform".
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium.errors import MissingExtraError, UsageError, near_matches
from nasturtium.spaces import Categorical, Decision, DecisionSpace, conditionals
from nasturtium.strategies._ask_and_tell import proposals
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nasturtium.spaces import Architecture, Value
    from nasturtium.trials import History, Proposal


@final
@STRATEGIES.register("nevergrad")
@dataclass(frozen=True)
class Nevergrad(Strategy):
    """Asks an optimizer of Nevergrad; needs the extra ``peers``.

    Every decision is a parameter of its own, asked or not: ``Choice`` for options, ``Scalar`` or
    ``Log`` for numbers. A value that a rule forbids is replaced by the legal one at its place. The
    optimizer is seeded by the study, its budget is the horizon, and it lives through the log again
    where it has not yet, so that proposals depend on the history alone. Of trials without losses
    it is told nothing. Nevergrad knows no equal networks: it may propose one twice.

    Args:
        optimizer: A name of ``nevergrad.optimizers.registry``, such as ``"NGOpt"``, which chooses
            one for the space and budget, ``"DiscreteOnePlusOne"`` or ``"TwoPointsDE"``.

    References:
        Rapin & Teytaud 2018, "Nevergrad" (https://github.com/facebookresearch/nevergrad).
    """

    optimizer: str = "NGOpt"

    requires: ClassVar[tuple[type, ...]] = (DecisionSpace,)
    multi_objective: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = True  # what Nevergrad finds is Nevergrad's; few of its optimizers are for choices
    reference: ClassVar[str] = "Rapin & Teytaud 2018, Nevergrad"

    @classmethod
    def small(cls) -> Nevergrad:
        """Return the discrete (1+1), which decides fastest."""
        return cls("DiscreteOnePlusOne")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return n proposals of the optimizer."""
        return proposals(history, n, self, partial(_Optimizer, self.optimizer, history))


class _Optimizer:
    """Nevergrad's optimizer for a study, at its beginning."""

    def __init__(self, name: str, history: History) -> None:
        nevergrad = _imported()
        known = nevergrad.optimizers.registry
        if name not in known:
            raise UsageError(f"unknown optimizer of Nevergrad {name!r}; {near_matches(name, known)}")
        space = history.study.space
        assert isinstance(space, DecisionSpace)
        self._space = space
        made = {c.decision.path: _parameter(nevergrad.p, c.decision) for c in conditionals(space)}
        parameters = nevergrad.p.Dict(**made)
        parameters.random_state = np.random.RandomState(int(generator(history, 0).integers(2**31)))
        with _quietly():
            self._optimizer = known[name](parameters, budget=history.study.horizon)
        self._asked: dict[int, Any] = {}
        self._refusal: type[Exception] = nevergrad.errors.TellNotAskedNotSupportedError

    def ask(self, number: int) -> Architecture:
        """Return the architecture of the optimizer's next candidate."""
        with _quietly():
            candidate = self._asked[number] = self._optimizer.ask()

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            value = candidate.value[decision.path]
            if isinstance(decision, Categorical):
                return decision.numbered(value, prefix)
            number = min(max(value, decision.low), decision.high)
            return int(number) if decision.is_integer else float(number)

        return self._space.construct(choose)

    def tell(self, number: int, architecture: Architecture, losses: tuple[float, ...]) -> None:
        """Take losses, also those of what it was not asked for unless this optimizer refuses them."""
        candidate = self._asked[number] if number in self._asked else self._spawned(architecture)
        with _quietly(), suppress(self._refusal):
            self._optimizer.tell(candidate, losses if losses[1:] else losses[0])

    def _spawned(self, architecture: Architecture) -> Any:
        """Return a candidate with the architecture's values, those of the first elsewhere."""
        first = self._optimizer.parametrization
        values = dict(first.value)
        for decision, value in self._space.trace(architecture):
            values[decision.path] = decision.values.index(value) if isinstance(decision, Categorical) else value
        return first.spawn_child(new_value=values)


def _parameter(p: Any, decision: Decision) -> Any:
    """Return Nevergrad's parameter for a decision."""
    if isinstance(decision, Categorical):
        return p.Choice(range(len(decision.values)))
    if decision.low == decision.high:
        return decision.low
    kind = p.Log if decision.is_log else p.Scalar
    parameter = kind(lower=decision.low, upper=decision.high)
    return parameter.set_integer_casting() if decision.is_integer else parameter


def _imported() -> Any:
    try:
        with _quietly():
            import nevergrad
    except ImportError as error:
        raise MissingExtraError(
            "strategy nevergrad needs Nevergrad, got none; pip install 'nasturtium[peers]'."
        ) from error
    return nevergrad


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence what Nevergrad warns of, which is about its own parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
