"""Optuna's samplers as a strategy, to compare with what people use today.

Akiba, Sano, Yanase, Ohta & Koyama 2019, "Optuna: A Next-generation Hyperparameter Optimization
Framework", KDD (arXiv 1907.10902).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isnan, nan
from typing import TYPE_CHECKING, Any, ClassVar, final

from nasturtium.errors import MissingExtraError, UsageError, near_matches
from nasturtium.spaces import Categorical, Decision, Decisions, Value
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import generator
from nasturtium.trials import History, Proposal, Setting, State, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLERS = {"tpe": "TPESampler", "nsgaii": "NSGAIISampler", "random": "RandomSampler"}
"""Optuna's samplers that need nothing else installed."""


@final
@STRATEGIES.register("optuna")
@dataclass(frozen=True)
class Optuna(Strategy):
    """Asks a sampler of Optuna; needs the extra ``peers``.

    Optuna's study is rebuilt from the completed trials, in the order in which they ended, and its
    sampler seeded by the trial, so that proposals depend on the history alone. What is under way
    is not told to it. What the sampler notes with a trial (NSGA-II its generation) is kept in the
    proposal's attributes. Optuna knows no equal networks: it may propose one twice.

    Args:
        sampler: ``"tpe"``, ``"nsgaii"`` or ``"random"``, with Optuna's default settings.

    References:
        Akiba et al. 2019, "Optuna" (arXiv 1907.10902).
    """

    sampler: str = "tpe"

    requires: ClassVar[tuple[type, ...]] = (Decisions,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Akiba et al. 2019, arXiv 1907.10902"

    def __post_init__(self) -> None:
        """Check the name."""
        if self.sampler not in SAMPLERS:
            raise UsageError(f"unknown Optuna sampler {self.sampler!r}; {near_matches(self.sampler, SAMPLERS)}")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return n proposals of the sampler."""
        optuna = _imported()
        space = history.study.space
        assert isinstance(space, Decisions)
        told = history.fold((self, "told"), tuple, partial(_told, history.study))
        proposals = []
        for number in range(history.n_trials, history.n_trials + n):
            seed = int(generator(history, number).integers(2**31))
            sampler = getattr(optuna.samplers, SAMPLERS[self.sampler])(seed=seed)
            study = optuna.create_study(directions=["minimize"] * len(history.study.objectives), sampler=sampler)
            study.add_trials(told)
            trial = study.ask()
            architecture = space.construct(partial(_suggested, trial))
            notes = dict(study.get_trials(deepcopy=False)[-1].system_attrs)
            proposals.append(Proposal(architecture, attributes=notes))
        return proposals


def _imported() -> Any:
    """Return Optuna, silenced."""
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("strategy optuna needs Optuna, got none; pip install 'nasturtium[peers]'.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _parameter(decision: Decision, prefix: Mapping[str, Value]) -> str:
    """Return the name of a decision's parameter: Optuna wants one list of choices for one name."""
    if isinstance(decision, Categorical) and decision.rule is not None:
        return f"{decision.path} of {list(decision.options(prefix))}"
    return decision.path


def _suggested(trial: Any, decision: Decision, prefix: Mapping[str, Value]) -> Value:
    name = _parameter(decision, prefix)
    if isinstance(decision, Categorical):
        options = decision.options(prefix)
        index: int = trial.suggest_categorical(name, list(range(len(options))))
        return options[index]
    if decision.is_integer:
        return int(trial.suggest_int(name, int(decision.low), int(decision.high), log=decision.is_log))
    return float(trial.suggest_float(name, decision.low, decision.high, log=decision.is_log))


def _told(setting: Setting, told: tuple[Any, ...], trial: Trial) -> tuple[Any, ...]:
    """Return Optuna's trials with one more."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    space = setting.space
    assert isinstance(space, Decisions)
    if trial.architecture is None:
        return told
    prefix: dict[str, Value] = {}
    values: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    for decision, value in space.trace(trial.architecture):
        name = _parameter(decision, prefix)
        values[name] = value
        if isinstance(decision, Categorical):
            options = decision.options(prefix)
            values[name] = options.index(value)
            kinds[name] = CategoricalDistribution(list(range(len(options))))
        elif decision.is_integer:
            kinds[name] = IntDistribution(int(decision.low), int(decision.high), log=decision.is_log)
        else:
            kinds[name] = FloatDistribution(decision.low, decision.high, log=decision.is_log)
        prefix[decision.path] = value
    losses = [objective.loss(trial.metrics.get(objective.metric, nan)) for objective in setting.objectives]
    is_known = trial.state in (State.FINISHED, State.STOPPED) and not any(map(isnan, losses))
    found = create_trial(
        state=TrialState.COMPLETE if is_known else TrialState.FAIL,
        values=losses if is_known else None,
        params=values,
        distributions=kinds,
        system_attrs=dict(trial.proposal.attributes),
    )
    return (*told, found)
