"""The anytime curve: the best value so far against what was spent."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.report._axes import Axis, axis_of, frame
from nasturtium.report._base import Findings, is_finite
from nasturtium.report._format import title_of, value_text
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.trials import chances_of_best

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_MARKS = 100
"""So many improvements, the last ones, are marked with a dot."""


@final
@dataclass(frozen=True, slots=True)
class Step:
    """An improvement, or the end of the search.

    Args:
        trial: Number of the trial that was best from here on.
        n_trials: Trials that were over by then.
        seconds: Seconds charged by then.
        value: The best value of the first objective.
    """

    trial: int
    n_trials: int
    seconds: float
    value: float


def progress(found: Findings) -> list[Step]:
    """Return the improvements of the first objective in order, and the end of the search.

    Trials come in the order in which they ended. What trials that are not over have cost (paused
    ones, above all) is charged before the next higher number that ended, which is when most of it
    was spent.
    """
    waiting = [t for t in found.trials if not t.is_over]
    best, spent, at = nan, 0.0, 0
    objective = found.objectives[0]
    steps: list[Step] = []
    for n_over, number in enumerate(found.history.completed, start=1):
        while at < len(waiting) and waiting[at].number < number:
            spent += waiting[at].seconds
            at += 1
        spent += found.trials[number].seconds
        loss = float(found.losses[number, 0])
        if not isnan(loss) and not loss >= best:
            best = loss
            steps.append(Step(number, n_over, spent, -loss if objective.maximize else loss))
    if steps:
        last, n_over = steps[-1], len(found.history.completed)
        steps.append(Step(last.trial, n_over, found.seconds, last.value))
    return steps


def expected_best(losses: NDArray[np.float64], n_drawn: int) -> float:
    """Return the expected best loss of trials drawn at random without replacement; exact.

    Trials without a loss are drawn too and give nothing; the expectation is over the draws that
    hold at least one loss.

    Args:
        losses: Shape ``(n_trials,)``; NaN for trials without.
        n_drawn: Number of draws, in [1, n_trials].

    Example:
        >>> losses = np.array([0.3, 0.1, 0.2])
        >>> [round(expected_best(losses, k), 4) for k in (1, 2, 3)]
        [0.2, 0.1333, 0.1]
    """
    ordered = np.sort(losses[~np.isnan(losses)])
    if not len(ordered):
        return nan
    chances = chances_of_best(len(losses), n_drawn)[: len(ordered)]
    return float(chances @ ordered / chances.sum())


def curve(
    points: Sequence[tuple[float, Step]],
    x: str,
    metric: str,
    *,
    expected: Sequence[tuple[float, float]] = (),
) -> Markup:
    """Return the best value so far as SVG.

    Args:
        points: Where on the horizontal axis each improvement is; the last one is the end.
        x: Name of the horizontal axis.
        metric: The metric of the vertical axis.
        expected: (x, value) of a dashed curve to compare with.
    """
    across = axis_of(x, [at for at, _ in points], from_zero=True)
    values = [step.value for _, step in points] + [value for _, value in expected]
    up = axis_of(metric, values)
    dashed = [(at, value) for at, value in expected if is_finite(value)]
    content = [
        _line(dashed, across, up),
        _steps(points, across, up),
        *(_mark(at, step, across, up, metric) for at, step in points[:-1][-MOST_MARKS:]),
    ]
    best = value_text(metric, points[-1][1].value) if points else "none"
    label = f"best {title_of(metric)} so far against {x}; in the end {best}"
    return frame(across, up, *content, label=label, y_title=f"best {title_of(metric)} so far")


def _steps(points: Sequence[tuple[float, Step]], x: Axis, y: Axis) -> Markup:
    if not points:
        return Markup()
    (start, first), *rest = points
    course = f"M{coordinate(x.x(start))} {coordinate(y.y(first.value))}"
    course += "".join(f"H{coordinate(x.x(at))}V{coordinate(y.y(step.value))}" for at, step in rest)
    return element("path", d=course, class_="best", fill="none")


def _line(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> Markup:
    course = "L".join(f"{coordinate(x.x(a))} {coordinate(y.y(b))}" for a, b in points)
    return element("path", d=f"M{course}", class_="expected", fill="none") if course else Markup()


def _mark(at: float, step: Step, x: Axis, y: Axis, metric: str) -> Markup:
    title = f"trial {step.trial}: {title_of(metric)} {value_text(metric, step.value)}"
    return element(
        "circle",
        element("title", f"{title} ({x.metric} {value_text('', at)})"),
        cx=x.x(at),
        cy=y.y(step.value),
        r=3,
        class_="best-dot",
    )


def figures(found: Findings, *, expected: Sequence[tuple[float, float]] = ()) -> Markup:
    """Return the two curves of a study: against trials, and against charged seconds."""
    steps = progress(found)
    metric = found.objectives[0].metric
    by_trial = [(float(step.n_trials), step) for step in steps]
    by_time = [(step.seconds, step) for step in steps]
    return join(
        [
            curve(by_trial, "trials that are over", metric, expected=expected),
            curve(by_time, "charged seconds", metric),
        ]
    )
