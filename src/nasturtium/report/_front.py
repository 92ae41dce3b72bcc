"""The report's section on the Pareto front: plots and table."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from nasturtium.report._base import Findings, is_finite, values_of
from nasturtium.report._format import aim, counted, named_value, title_of, value_text
from nasturtium.report._grid import front_columns, html_table
from nasturtium.report._markup import Markup, element, join
from nasturtium.report._scatter import MOST_TITLES, Dot, scatter
from nasturtium.trials import State

if TYPE_CHECKING:
    from nasturtium.trials import Trial

MOST_ROWS = 200
"""The greatest number of rows of the front's table."""


def front_section(found: Findings) -> Markup:
    """Return plots of the objectives and the table of the front."""
    shown = [pair for pair in axes_of(found) if _is_drawable(found, *pair)]
    plots = join(_plot(found, x, y) for x, y in shown)
    table = html_table(
        front_columns(found),
        found.front[:MOST_ROWS],
        row_id="front",
        caption="The Pareto front, the best first objective first",
    )
    return join(
        [
            element("p", _aims(found)),
            element("div", plots, class_="figures") if shown else Markup(),
            *(element("p", note, class_="note") for note in _plot_notes(found, shown)),
            table if found.front else element("p", _no_front(found)),
            *(element("p", note, class_="note") for note in _table_notes(found)),
        ]
    )


def axes_of(found: Findings) -> list[tuple[str, str]]:
    """Return what is plotted: (horizontal, vertical) metrics.

    The first objective stands against each other one; if it is the only one, against the
    parameters, or against the trials' numbers where there are no networks.
    """
    first, *others = [o.metric for o in found.objectives]
    if others:
        return [(other, first) for other in others]
    known = {metric for trial in found.trials for metric in trial.metrics}
    costs = [cost for cost in ("params", "flops") if cost in known and cost != first]
    return [(costs[0] if costs else "trial", first)]


def _value(trial: Trial, metric: str) -> float:
    return float(trial.number) if metric == "trial" else values_of(trial).get(metric, nan)


def _is_drawable(found: Findings, x: str, y: str) -> bool:
    return any(is_finite(_value(t, x)) and is_finite(_value(t, y)) for t in _measured(found))


def _measured(found: Findings) -> list[Trial]:
    return [trial for trial in found.trials if trial.state is not State.FAILED]


def _plot(found: Findings, x: str, y: str) -> Markup:
    on_front = {trial.number for trial in found.front}
    is_plane = [o.metric for o in found.objectives] == [y, x]
    dots = []
    for trial in [*found.front, *(t for t in _measured(found) if t.number not in on_front)]:
        a, b = _value(trial, x), _value(trial, y)
        parts = [named_value(y, b)] if x == "trial" else [named_value(y, b), named_value(x, a)]
        partial = trial.state is not State.FINISHED
        state = f", {trial.state} at epoch {trial.step}" if partial else ""
        title = f"trial {trial.number}: {', '.join(parts)}{state}"
        dots.append(Dot(trial.number, a, b, title, trial.number in on_front, partial))
    limits = {limit.metric: limit.bound for limit in found.limits}
    return scatter(dots, x, y, limits=limits, has_stairs=is_plane)


def _aims(found: Findings) -> str:
    aims = [f"{title_of(o.metric)} ({aim(o)} is better)" for o in found.objectives]
    limits = [f"{title_of(x.metric)} ≤ {value_text(x.metric, x.bound)}" for x in found.limits]
    bounds = f" Limits: {', '.join(limits)}." if limits else " No limits were set."
    return f"Searched for: {', '.join(aims)}.{bounds}"


def _plot_notes(found: Findings, shown: list[tuple[str, str]]) -> list[str]:
    if not shown:
        return ["No plot: no trial has values for it yet."]
    measured = _measured(found)
    drawn = sum(all(is_finite(_value(t, metric)) for metric in shown[0]) for t in measured)
    parts = ["Gray: finished trials.", "Blue: the front; a point leads to its row in the table."]
    if found.limits:
        parts.append("Dashed: limits, where the axes reach them.")
    partial = sum(trial.state is not State.FINISHED for trial in measured)
    if partial:
        unfinished = counted(partial, "trial")
        parts.append(f"Hollow: {unfinished} not trained to the end, with the latest values.")
    missing = len(found.trials) - drawn
    if missing:
        parts.append(f"Not drawn: {counted(missing, 'trial')} without values, such as failed ones.")
    if drawn > MOST_TITLES:
        parts.append("With so many trials, only the front has hover texts.")
    return [" ".join(parts)]


def _no_front(found: Findings) -> str:
    if not found.count(State.FINISHED):
        return "There is no front: no trial has finished."
    if found.limits and found.breaks_limits:
        return "There is no front: no finished trial meets the limits."
    return "There is no front: no finished trial has a value for every objective."


def _table_notes(found: Findings) -> list[str]:
    notes = []
    if len(found.front) > MOST_ROWS:
        notes.append(f"The table holds the first {MOST_ROWS} of {len(found.front):,}.")
    if found.final:
        notes.append(
            "Weights are of the final training or, where time did not suffice, of the search. "
            "The front was chosen by validation, so its validation errors are optimistic. Test "
            "data were read once a network, after the choice; the interval is binomial (Wilson) "
            "and covers the choice of test examples, not that of the training's seed. The best "
            "test error among several networks is itself optimistic."
        )
        if found.n_points < len(found.front):
            notes.append(
                "Of networks equal in every objective, the one with the fewest parameters was trained and tested."
            )
    elif found.front:
        notes.append(
            "These are values of the search, on validation data: as the best of many they are "
            "optimistic. No final training is recorded here."
        )
    return notes
