"""The head of the report: what was searched and what came of it, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from nasturtium.report._base import FinalResults, Findings, is_finite, values_of
from nasturtium.report._format import (
    component_name,
    counted,
    duration,
    interval_text,
    named_value,
    percent,
    title_of,
    value_text,
)
from nasturtium.report._markup import Markup, element, join
from nasturtium.trials import State


def summary(found: Findings) -> Markup:
    """Return the summary paragraph and the key figures."""
    sentences = [_searched(found), _found(found), _tested(found)]
    tiles = join(element("div", element("b", value), element("span", name)) for name, value in _tiles(found))
    return join(
        [
            element("p", " ".join(s for s in sentences if s), class_="lead"),
            element("div", tiles, class_="tiles"),
        ]
    )


def _searched(found: Findings) -> str:
    created = found.created
    task = created.get("task")
    on = f" on the task {task.get('name', 'unnamed')}" if isinstance(task, Mapping) else ""
    by = f" by {component_name(created['strategy'])}" if created.get("strategy") else ""
    seed = created.get("seed", found.history.study.seed)
    failed = found.count(State.FAILED)
    ends = [f"{found.count(State.FINISHED):,} finished"]
    ends += [f"{failed:,} failed"] if failed else []
    other = len(found.trials) - found.count(State.FINISHED, State.FAILED)
    ends += [f"{other:,} stopped, paused or not ended"] if other else []
    return (
        f"A search of the space {space_name(found)}{on}{by} (seed {seed}) ran "
        f"{counted(len(found.trials), 'trial')}: {', '.join(ends)}; "
        f"{duration(found.seconds)} charged."
    )


def space_name(found: Findings) -> str:
    """Return the space's stored name, else that of its class."""
    stored = found.created.get("space")
    return component_name(stored) if stored else type(found.history.study.space).__name__


def _found(found: Findings) -> str:
    best = found.best
    if best is None:
        return "There is no result yet." if not found.count(State.FINISHED) else _nothing(found)
    values = values_of(best)
    metric = found.objectives[0].metric
    others = [o.metric for o in found.objectives[1:]]
    if "params" in values and "params" not in (metric, *others):
        others.append("params")
    at = f" with {', '.join(named_value(m, values[m]) for m in others)}" if others else ""
    front = f", of {len(found.front):,} on the Pareto front" if len(found.objectives) > 1 else ""
    value = value_text(metric, values[metric])
    return f"The best {title_of(metric)} is {value}{at} (trial {best.number}{front})."


def _nothing(found: Findings) -> str:
    if found.breaks_limits:
        return "No finished trial meets the limits, so there is no result."
    return "No finished trial has a value for every objective, so there is no result."


def _best_result(found: Findings) -> FinalResults | None:
    """Return the final result of the best trial, else of the first one that was tested."""
    if found.best is not None and found.best.number in found.by_trial:
        return found.by_trial[found.best.number]
    return next((entry for entry in found.final if is_finite(entry.test_error)), None)


def _tested(found: Findings) -> str:
    entry = _best_result(found)
    if entry is None or not is_finite(entry.test_error):
        return ""
    how = "After final training" if entry.weights == "final" else "With the weights of the search"
    interval = f"95 % interval {interval_text(*entry.interval)}, " if entry.counts_examples else ""
    return (
        f"{how} ({counted(entry.epochs, 'epoch')}), the test error of trial {entry.trial} is "
        f"{percent(entry.test_error)} ({interval}{counted(entry.n_test, 'test example')})"
        + "".join(f", the {named_value(metric, value)}" for metric, value in _others(entry))
        + "."
    )


def _others(entry: FinalResults) -> list[tuple[str, float]]:
    """Return what else was measured on the test data."""
    return [(metric, value) for metric, value in entry.tested.items() if metric != "test_error"]


def _tiles(found: Findings) -> list[tuple[str, str]]:
    tiles = []
    best, metric = found.best, found.objectives[0].metric
    if best is not None:
        value = value_text(metric, values_of(best)[metric])
        tiles.append((f"best {title_of(metric)}", value))
    entry = _best_result(found)
    if entry is not None and is_finite(entry.test_error):
        tiles.append((f"test error, trial {entry.trial}", percent(entry.test_error)))
        tiles += [(f"{title_of(metric)}, trial {entry.trial}", value_text(metric, v)) for metric, v in _others(entry)]
    if len(found.objectives) > 1:
        tiles.append(("on the front", f"{len(found.front):,}"))
    tiles.append(("trials", f"{len(found.trials):,}"))
    tiles.append(("charged", duration(found.seconds)))
    return tiles
