"""Decision spaces in the format of ConfigSpace, which SMAC, DEHB, Auto-PyTorch and others read.

Lindauer et al. 2019, "BOAH: A Tool Suite for Multi-Fidelity Bayesian Optimization & Analysis of
Hyperparameters" (arXiv 1908.06756).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nasturtium.errors import MissingExtraError, RequirementError, UsageError
from nasturtium.spaces._conditions import conditionals
from nasturtium.spaces._decision import Categorical, Decision, Value
from nasturtium.spaces._decisions import DecisionSpace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._base import Space


def to_configspace(space: Space, *, seed: int | None = None) -> Any:
    """Return a decision space as a ``ConfigurationSpace``: a hyperparameter for each decision.

    A hyperparameter is named by its decision's path. Decisions that an option opens are conditional.
    A choice's values are texts: strings as they are, others as JSON (all as JSON if that would make
    two alike). Real numbers lose what is beyond some ten digits. ConfigSpace knows no rules and no
    limits: values that a rule forbids after some answers are there too, and ``from_configuration``
    replaces them. Needs the extra ``peers``.

    Args:
        space: The space.
        seed: For what the result samples.

    Raises:
        RequirementError: The space has no decisions.
        MissingExtraError: ConfigSpace is not installed.

    Example:
        >>> from nasturtium.spaces import choice, decisions, integer, option, to_configspace
        >>> space = decisions(kind=choice("plain", option("wide", width=integer(1, 8))))
        >>> print(*to_configspace(space).conditions)
        kind.wide.width | kind == 'wide'
    """
    cs = _imported()
    configspace = cs.ConfigurationSpace(seed=seed)
    decisions: dict[str, Decision] = {}
    for each in conditionals(_decision_space(space)):
        decisions[each.decision.path] = each.decision
        made = _hyperparameter(cs, each.decision)
        configspace.add(made)
        conditions = [_condition(cs, made, configspace[path], decisions[path], openers) for path, openers in each.when]
        if conditions:
            configspace.add(conditions[0] if len(conditions) == 1 else cs.AndConjunction(*conditions))
    return configspace


def to_configuration(space: Space, architecture: Architecture, configspace: Any) -> Any:
    """Return an architecture as a ``Configuration`` of what ``to_configspace`` gave.

    Raises:
        UsageError: The architecture is not of the space.
    """
    values = {d.path: _told(d, value) for d, value in _decision_space(space).trace(architecture)}
    return _imported().Configuration(configspace, values=values)


def from_configuration(space: Space, configuration: Mapping[str, Any]) -> Architecture:
    """Return the architecture of a ``Configuration``, or of a plain mapping of its values.

    A value that a rule forbids after the earlier answers becomes the legal one at the same place of
    the list; a decision without a value gets the middle one.

    Raises:
        UsageError: A value is none of its decision's, or a name is that of no decision.

    Example:
        >>> from nasturtium.spaces import choice, decisions, to_configspace
        >>> space = decisions(op=choice("conv", "pool"), bias=choice(True, False))
        >>> dict(from_configuration(space, {"op": "pool", "bias": "true"}))
        {'op': 'pool', 'bias': True}
    """

    def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
        if decision.path not in configuration:
            return decision.at(0.5, prefix)
        told = configuration[decision.path]
        try:
            if not isinstance(decision, Categorical):
                return int(told) if decision.is_integer else float(told)
            return decision.numbered(_texts(decision).index(str(told)), prefix)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"a configuration has values of the space, got {decision.path}={told!r}; see to_configspace."
            ) from error

    decided = _decision_space(space)
    known = frozenset(decided.columns)
    for name in configuration:
        if name not in known:
            raise UsageError(f"a configuration names decisions of the space, got {name!r}; see to_configspace.")
    return decided.construct(choose)


def _imported() -> Any:
    try:
        import ConfigSpace
    except ImportError as error:
        raise MissingExtraError("this needs ConfigSpace, got none; pip install 'nasturtium[peers]'.") from error
    return ConfigSpace


def _decision_space(space: Space) -> DecisionSpace:
    if not isinstance(space, DecisionSpace):
        raise RequirementError(
            f"only decisions have a form in ConfigSpace, got {type(space).__name__}, which grows; take another space."
        )
    return space


def _texts(decision: Categorical) -> list[str]:
    """Return what stands for each value.

    Example:
        >>> _texts(Categorical("x", ("conv", 3, (1, 2)))), _texts(Categorical("x", ("1", 1)))
        (['conv', '3', '[1, 2]'], ['"1"', '1'])
    """
    texts = [value if isinstance(value, str) else json.dumps(value) for value in decision.values]
    return texts if len(set(texts)) == len(texts) else [json.dumps(value) for value in decision.values]


def _told(decision: Decision, value: Value) -> Any:
    """Return what stands for a decision's value in a configuration."""
    return _texts(decision)[decision.values.index(value)] if isinstance(decision, Categorical) else value


def _hyperparameter(cs: Any, decision: Decision) -> Any:
    if isinstance(decision, Categorical):
        texts = _texts(decision)
        return cs.CategoricalHyperparameter(decision.path, texts) if texts[1:] else cs.Constant(decision.path, *texts)
    if decision.low == decision.high:
        return cs.Constant(decision.path, int(decision.low) if decision.is_integer else decision.low)
    if decision.is_integer:
        ends = (int(decision.low), int(decision.high))
        return cs.UniformIntegerHyperparameter(decision.path, *ends, log=decision.is_log)
    return cs.UniformFloatHyperparameter(decision.path, decision.low, decision.high, log=decision.is_log)


def _condition(cs: Any, child: Any, parent: Any, decision: Decision, openers: Collection[Value]) -> Any:
    """Return that the child is active if the parent, which stands for the decision, is one of the openers."""
    told = [_told(decision, value) for value in decision.options({}) if value in openers]
    return cs.EqualsCondition(child, parent, *told) if len(told) == 1 else cs.InCondition(child, parent, told)
