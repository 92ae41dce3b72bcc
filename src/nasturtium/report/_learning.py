"""The report's section on what a policy learned: how sure it is, and what it samples.

Strategies that learn a policy write what this section shows into the attributes of their proposals:
``entropy`` (of the distributions a candidate was drawn from, in nats) or ``epsilon`` (the share of
random decisions), and now and then ``likeliest``, the JSON of the policy's favorite architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import NasturtiumError
from nasturtium.report._axes import axis_of, frame
from nasturtium.report._format import title_of, value_text
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.report._networks import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nasturtium.report._base import Findings
    from nasturtium.spaces import Architecture

MEASURES = {"entropy": "entropy of the policy, nats", "epsilon": "epsilon, share of random decisions"}
"""What says how sure a policy is, by attribute."""


def learning_section(found: Findings) -> Markup:
    """Return the curves of learning and the final policy's likeliest architecture."""
    measure = next((name for name in MEASURES if _values(found, name)), None)
    if measure is None:
        return element("p", "This study's strategy learns no policy.")
    sureness = _values(found, measure)
    sampled = sampled_values(found)
    metric = found.objectives[0].metric
    parts = [_words(found, measure, sureness, sampled)]
    charts = [_chart(sureness, measure, MEASURES[measure])]
    if len(sampled) > 1:
        charts.append(_chart(moving_average(sampled), metric, f"mean {title_of(metric)} sampled"))
    parts.append(element("div", join(charts), class_="figures"))
    likeliest = final_likeliest(found)
    if likeliest is not None:
        number, architecture = likeliest
        title = element("summary", element("b", "The policy's likeliest architecture"), f", as of trial {number}")
        body, is_wide = shown(found, architecture)
        parts.append(element("details", title, body, class_="card wide" if is_wide else "card", open=""))
    return join(parts)


def _values(found: Findings, name: str) -> list[tuple[float, float]]:
    """Return (trial, value) of an attribute of proposals that is a number."""
    pairs = ((t.number, t.proposal.attributes.get(name)) for t in found.trials)
    return [(float(number), float(value)) for number, value in pairs if isinstance(value, int | float)]


def sampled_values(found: Findings) -> list[tuple[float, float]]:
    """Return (trial, first objective) of the trials that have a value, by number."""
    sign = -1.0 if found.objectives[0].maximize else 1.0
    losses = found.losses[:, 0]
    return [(float(number), sign * float(losses[number])) for number in np.flatnonzero(~np.isnan(losses))]


def moving_average(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the mean over a tenth of all values up to each one, at least three.

    Example:
        >>> moving_average([(0.0, 3.0), (1.0, 6.0), (2.0, 9.0), (3.0, 0.0)])
        [(2.0, 6.0), (3.0, 5.0)]
    """
    width = min(len(values), max(3, len(values) // 10))
    sums = np.concatenate([[0.0], np.cumsum([value for _, value in values])])
    means = (sums[width:] - sums[:-width]) / width
    return [(at, mean) for (at, _), mean in zip(values[width - 1 :], means.tolist(), strict=True)]


def thirds(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the means of the first and of the last third of at least three values."""
    numbers: NDArray[np.float64] = np.array([value for _, value in values])
    n = len(numbers) // 3
    return float(numbers[:n].mean()), float(numbers[-n:].mean())


def final_likeliest(found: Findings) -> tuple[int, Architecture] | None:
    """Return the last favorite that a proposal names, with the trial's number; None if none can be read."""
    for trial in reversed(found.trials):
        data = trial.proposal.attributes.get("likeliest")
        if data is None:
            continue
        try:
            return trial.number, found.history.study.space._read(data)
        except (NasturtiumError, TypeError, AttributeError):
            return None
    return None


def _words(
    found: Findings, measure: str, sureness: Sequence[tuple[float, float]], sampled: Sequence[tuple[float, float]]
) -> Markup:
    first, last = sureness[0][1], sureness[-1][1]
    words = f"{MEASURES[measure].capitalize()}: {first:.3g} at first, {last:.3g} in the end."
    if len(sampled) >= 3:
        metric = found.objectives[0].metric
        early, late = (value_text(metric, mean) for mean in thirds(sampled))
        words += f" The mean {title_of(metric)} of the first third of the sampled architectures is {early}, "
        words += f"of the last third {late}; without learning the two would be alike."
    return element("p", words)


def _chart(points: Sequence[tuple[float, float]], metric: str, title: str) -> Markup:
    x = axis_of("trial", [at for at, _ in points], from_zero=True)
    y = axis_of(metric, [value for _, value in points])
    course = "L".join(f"{coordinate(x.x(at))} {coordinate(y.y(value))}" for at, value in points)
    line = element("path", d=f"M{course}", class_="best", fill="none")
    return frame(x, y, line, label=f"{title} against trials", y_title=title)
