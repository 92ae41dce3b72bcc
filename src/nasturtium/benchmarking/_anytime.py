"""Anytime curves: what each strategy had found by when, over evaluations and over simulated time."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.benchmarking._statistics import QUANTILES
from nasturtium.report import Axis, Markup, axis_of, chart_file, coordinate, element, frame, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nasturtium.benchmarking._results import Results

COLORS = ("#6b7280", "#1a63c7", "#b4530a", "#15803d", "#9333ea", "#be123c", "#0e7490", "#a16207")
"""One a strategy, the first for random search; after the last they begin again, dashed."""

N_POINTS = 100
"""Points of a curve."""


@final
@dataclass(frozen=True)
class Curves:
    """The judged value of every strategy against what was spent.

    Args:
        over: ``"evaluations"`` or ``"simulated seconds"``.
        at: How much was spent, shape ``(n_points,)``.
        bands: By strategy the mean over seeds and the quantiles at ``QUANTILES``, shape
            ``(1 + len(QUANTILES), n_points)``; NaN where no seed has a value.
    """

    over: str
    at: NDArray[np.float64]
    bands: Mapping[str, NDArray[np.float64]]


def curves(results: Results) -> list[Curves]:
    """Return the curves over evaluations, and over simulated seconds up to the quickest strategy's end."""
    trials, strategies = results.grid.protocol.trials, results.grid.strategies
    evaluations = np.unique(np.linspace(1, trials, min(trials, N_POINTS)).round().astype(int))
    found = [
        Curves(
            "evaluations",
            evaluations.astype(np.float64),
            {s: _band(results.values(s)[:, evaluations - 1]) for s in strategies},
        )
    ]
    end = min(float(results.values(s, "seconds")[:, -1].mean()) for s in strategies)
    if end > 0:
        at = np.linspace(end / N_POINTS, end, N_POINTS)
        found.append(Curves("simulated seconds", at, {s: _band(_at_times(results, s, at)) for s in strategies}))
    return found


def chart(curves: Curves, metric: str) -> Markup:
    """Return the curves as a chart: lines are means, areas reach from the lower to the upper quartile."""
    x, y = _axes(curves, metric)
    return frame(x, y, *_drawn(curves, x, y), label=_label(curves, metric))


def write_curves(found: Sequence[Curves], metric: str, folder: Path) -> None:
    """Write ``curves.csv``, and an SVG file of each chart."""
    with (folder / "curves.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["strategy", "over", "at", "mean", *(f"quantile_{q}" for q in QUANTILES)])
        for each in found:
            for strategy, band in each.bands.items():
                writer.writerows([strategy, each.over, *row] for row in np.vstack([each.at, band]).T.tolist())
    for each in found:
        x, y = _axes(each, metric)
        legend = [(color(number), strategy) for number, strategy in enumerate(each.bands)]
        drawn = chart_file(x, y, *_drawn(each, x, y), label=_label(each, metric), legend=legend)
        (folder / f"{each.over.split()[-1]}.svg").write_text(drawn, encoding="utf-8")


def color(number: int) -> str:
    """Return the color of the strategy of that number."""
    return COLORS[number % len(COLORS)]


def _at_times(results: Results, strategy: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the judged value at moments of the simulated clock, shape ``(n_seeds, len(at))``."""
    values, seconds = results.values(strategy), results.values(strategy, "seconds")
    found = []
    for value, second in zip(values, seconds, strict=True):
        position = np.searchsorted(second, at, side="right") - 1
        found.append(np.where(position >= 0, value[np.maximum(position, 0)], np.nan))
    return np.array(found)


def _band(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean and quantiles over seeds, of values of shape ``(n_seeds, n_points)``."""
    known = ~np.isnan(values).all(axis=0)
    found = np.full((1 + len(QUANTILES), values.shape[1]), np.nan)
    found[0, known] = np.nanmean(values[:, known], axis=0)
    found[1:, known] = np.nanquantile(values[:, known], QUANTILES, axis=0)
    return found


def _quartiles(band: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower quartile and the upper one."""
    return band[[1 + QUANTILES.index(0.25), 1 + QUANTILES.index(0.75)]]


def _label(curves: Curves, metric: str) -> str:
    return f"mean {metric} of each strategy against {curves.over}"


def _axes(curves: Curves, metric: str) -> tuple[Axis, Axis]:
    """Return the axes; the first values, which are far from all others, don't stretch them."""
    begin = len(curves.at) // 20
    rows = [row for band in curves.bands.values() for row in (band[0], *_quartiles(band))]
    shown = [value for row in rows for value in row[begin:].tolist()]
    return axis_of(curves.over, curves.at.tolist(), from_zero=True), axis_of(metric, shown)


def _drawn(curves: Curves, x: Axis, y: Axis) -> list[Markup]:
    """Return each strategy's area and line."""
    found = []
    for number, (strategy, band) in enumerate(curves.bands.items()):
        low, high = _quartiles(band)
        edge = [*zip(curves.at, low, strict=True), *list(zip(curves.at, high, strict=True))[::-1]]
        area = element("path", d=_course(edge, x, y) + "Z", fill=color(number), fill_opacity="0.12", stroke="none")
        line = element(
            "path",
            element("title", strategy),
            d=_course(zip(curves.at, band[0], strict=True), x, y),
            fill="none",
            stroke=color(number),
            stroke_width="1.8",
            stroke_dasharray="5 3" if number >= len(COLORS) else None,
        )
        found.append(join([area, line]))
    return found


def _course(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    inside = [(a, min(max(b, y.low), y.high)) for a, b in points if -inf < b < inf]
    return "M" + "L".join(f"{coordinate(x.x(a))} {coordinate(y.y(b))}" for a, b in inside) if inside else "M0 0"
