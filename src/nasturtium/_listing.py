"""What ``list`` and ``show`` print: tables for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nasturtium._components import BOUND
from nasturtium._display import plan_text
from nasturtium._registry import Registry, parameters, tuples
from nasturtium.errors import UsageError
from nasturtium.report import (
    NOTHING,
    argument_text,
    component_text,
    counted,
    duration,
    front_table,
    title_of,
    value_text,
)
from nasturtium.schedulers import SCHEDULERS
from nasturtium.spaces import SPACES, Networks
from nasturtium.strategies import STRATEGIES
from nasturtium.trials import State, ranking

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nasturtium._stored import StoredStudy
    from nasturtium.graphs import Graph
    from nasturtium.report import FinalResults
    from nasturtium.trials import Objective, Trial

MOST_TRIALS = 50
"""So many trials are shown, the best; ``--json`` has all."""


def strict(value: Any) -> Any:
    """Return a value as strict JSON data: numbers that are not finite become null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(item) for item in value]
    return value


def call_text(registry: Registry[Any] | None, component: Mapping[str, Any] | None) -> str:
    """Return a stored component as the command line takes it, without what the task sets.

    Args:
        registry: Where its class is, to leave out defaults; None shows them.
        component: Its description in the log.
    """
    if component is None or "opaque" in component or component["name"] is None:
        return component_text(component)
    known: dict[str, Any] = {}
    if registry is not None and component["name"] in registry.names():
        known = parameters(registry.get(component["name"]))
    arguments = component["arguments"]
    kept = [n for n, v in arguments.items() if n not in BOUND and not (n in known and known[n] == tuples(v))]
    given = [f"{n}={argument_text(arguments[n])}" for n in kept]
    return f"{component['name']}({', '.join(given)})" if given else str(component["name"])


# --- list ----------------------------------------------------------------------------------------


def list_json(studies: Sequence[StoredStudy]) -> list[dict[str, Any]]:
    """Return what ``list --json`` prints."""
    return [
        {
            "name": study.name,
            "kind": study.kind,
            "task": _task_name(study),
            "begun": study.created.get("when"),
            "states": study.states,
            "best": {} if study.best is None else _objectives(study, study.best),
        }
        for study in studies
    ]


def list_table(studies: Sequence[StoredStudy]) -> RenderableType:
    """Return what ``list`` prints."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for title in ("task", "trials", "best", "begun"):
        table.add_column(title)
    for study in studies:
        best = NOTHING if study.best is None else _values(study.history.study.objectives, study.best)
        cells = (
            study.name,
            study.kind,
            _task_name(study) or NOTHING,
            _states(study),
            best,
            _when(study),
        )
        table.add_row(*map(Text, cells))
    return table


# --- show ----------------------------------------------------------------------------------------


def show_json(study: StoredStudy) -> dict[str, Any]:
    """Return what ``show --json`` prints."""
    return {
        "name": study.name,
        "seed": study.history.study.seed,
        "space": call_text(SPACES, study.created["space"]),
        "strategy": call_text(STRATEGIES, study.created["strategy"]),
        "objectives": [_aim(objective) for objective in study.history.study.objectives],
        "trials": [_trial_json(trial) for trial in study.history.trials()],
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    architecture = trial.architecture
    return {
        "number": trial.number,
        "state": str(trial.state),
        "key": None if architecture is None else architecture.key,
        "architecture": None if architecture is None else strict(architecture.to_json()),
        "parents": list(trial.parents),
        "metrics": strict({**trial.metrics, **trial.report}),
        "reason": trial.reason,
        "seconds": strict(trial.seconds),
    }


def show_page(study: StoredStudy, children: Sequence[StoredStudy], results: Sequence[FinalResults]) -> RenderableType:
    """Return what ``show`` prints."""
    parts: list[RenderableType] = [_facts(study, children), ""]
    if study.kind != "final":
        parts += [front_table(study.history, final=results or None), ""]
    parts.append(_trials_table(study))
    reasons = Counter(t.reason for t in study.history.trials(State.FAILED))
    parts += [Text(f"{counted(n, 'trial')} failed: {reason}") for reason, n in reasons.most_common()]
    return Group(*parts)


def drawn_graph(study: StoredStudy, number: int | None) -> Graph:
    """Return the network of a trial.

    Raises:
        UsageError: No trial is named, there is none of that number, or it has no network.
    """
    if number is None:
        raise UsageError("--svg draws the network of one trial, got none; add --trial 3.")
    trials = study.history.trials()
    if number >= len(trials):
        raise UsageError(f"a trial has a number below {len(trials)}, got {number}; see nasturtium show {study.name}.")
    architecture, space = trials[number].architecture, study.history.study.space
    if architecture is None or not space.supports(Networks):
        raise UsageError(f"what is drawn is a network, got trial {number} without one; choose another trial or space.")
    return space.graph(architecture)


def _facts(study: StoredStudy, children: Sequence[StoredStudy]) -> Table:
    created = study.created
    limits = [
        *study.history.study.space.limits,
        *((m.metric, m.bound) for m in study.history.study.limits),
    ]
    facts = {
        "study": f"{study.name} ({study.kind}), seed {study.history.study.seed}",
        "begun": _when(study),
        "task": created.get("source") or _task_name(study),
        "space": call_text(SPACES, created["space"]),
        "strategy": None if study.kind == "final" else call_text(STRATEGIES, created["strategy"]),
        "estimator": call_text(None, created["estimator"]),
        "scheduler": call_text(SCHEDULERS, created["scheduler"]),
        "objectives": ", ".join(map(_aim, study.history.study.objectives)),
        "limits": ", ".join(f"{metric} <= {value_text(metric, bound)}" for metric, bound in limits),
        "plan": None if created.get("plan") is None else plan_text(created["plan"]),
        "results in": created.get("out"),
        "trials": _states(study),
        **{f"final {i}": f"{child.name}: {_states(child)}" for i, child in enumerate(children, start=1)},
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            table.add_row(name.removesuffix(" 1") if len(children) == 1 else name, Text(str(value)))
    return table


def _trials_table(study: StoredStudy) -> RenderableType:
    trials = study.history.trials()
    shown = trials
    title = "Trials"
    if len(trials) > MOST_TRIALS:
        best = ranking(study.history.losses())[:MOST_TRIALS].tolist()
        shown = [trials[number] for number in best]
        title = f"The best {MOST_TRIALS} of {len(trials):,} trials (--json has all)"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    metrics = [objective.metric for objective in study.history.study.objectives]
    extra = [m for m in ("params", "test_error") if m not in metrics and any(m in _all(t) for t in trials)]
    table.add_column("trial", justify="right")
    table.add_column("state")
    for metric in (*metrics, *extra):
        table.add_column(title_of(metric), justify="right")
    for heading in ("epochs", "seconds", "parents"):
        table.add_column(heading, justify="right")
    table.add_column("architecture key", no_wrap=True)
    table.add_column("graph key", no_wrap=True)
    front = {trial.number for trial in study.history.front()}
    for trial in shown:
        values = _all(trial)
        cells = [
            f"{trial.number}",
            str(trial.state),
            *(value_text(metric, values.get(metric, nan)) for metric in (*metrics, *extra)),
            str(trial.step),
            duration(trial.seconds),
            ", ".join(map(str, trial.parents)) or NOTHING,
            NOTHING if trial.architecture is None else trial.architecture.key,
            study.graph_key(trial) or NOTHING,
        ]
        table.add_row(*map(Text, cells), style="bold" if trial.number in front else None)
    return table


def _all(trial: Trial) -> dict[str, float]:
    return {**trial.metrics, **trial.report}


def _objectives(study: StoredStudy, trial: Trial) -> dict[str, Any]:
    metrics = trial.metrics
    return {o.metric: strict(metrics.get(o.metric, nan)) for o in study.history.study.objectives}


def _values(objectives: Sequence[Objective], trial: Trial) -> str:
    metrics = trial.metrics
    return ", ".join(f"{title_of(o.metric)} {value_text(o.metric, metrics.get(o.metric, nan))}" for o in objectives)


def _aim(objective: Objective) -> str:
    return f"maximize {objective.metric}" if objective.maximize else objective.metric


def _states(study: StoredStudy) -> str:
    return ", ".join(f"{n:,} {state}" for state, n in study.states.items()) or "none yet"


def _task_name(study: StoredStudy) -> str | None:
    task = study.created.get("task")
    return None if task is None else str(task["name"])


def _when(study: StoredStudy) -> str:
    when = study.created.get("when")
    return NOTHING if when is None else f"{datetime.fromisoformat(when).astimezone():%Y-%m-%d %H:%M}"
