"""The report of a comparison: one HTML file with anytime curves, tables and the checklist."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.benchmarking._checklist import checklist
from nasturtium.report import fill_page
from nasturtium.report._axes import Axis, axis_of, frame
from nasturtium.report._format import value_text
from nasturtium.report._markup import Markup, coordinate, element, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.benchmarking._results import Results

COLORS = ("#6b7280", "#1a63c7", "#b4530a", "#15803d", "#9333ea", "#be123c", "#0e7490", "#a16207")
"""One a strategy, the first for random search; after the last they begin again, dashed."""

N_POINTS = 100
"""Points of a curve over time."""


def page(results: Results) -> str:
    """Return the report as HTML that asks for nothing from anywhere."""
    sections = (
        ("curves", "Anytime curves", _curves(results)),
        ("results", "Results", _table_of_means(results)),
        ("facts", "Ranks, optima, cost", _table_of_facts(results)),
        ("tests", "Paired tests", _table_of_tests(results)),
        ("checklist", "Best-practice checklist", checklist(results)),
    )
    benchmark = results.grid.benchmark
    protocol = results.grid.protocol
    about = (
        f"{results.grid.seeds} seeds of {protocol.trials} evaluations, {protocol.workers} simulated workers, "
        f"scheduler {protocol.scheduler}. Signal: {', '.join(benchmark.objectives)}; judged by {results.metric}. "
        f"Simulated seconds: {benchmark.seconds}. Reference: {benchmark.reference}."
    )
    return fill_page(
        f"Comparison on {benchmark.name}",
        summary=element("p", about),
        links=join(element("a", title, href=f"#{anchor}") for anchor, title, _ in sections),
        sections=join(element("section", element("h2", t), body, id=anchor) for anchor, t, body in sections),
    )


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]


def _curves(results: Results) -> Markup:
    by_evaluation = {s: results.values(s) for s in results.grid.strategies}
    evaluations = np.arange(1.0, results.grid.protocol.trials + 1)
    end = min(float(results.values(s, "seconds")[:, -1].mean()) for s in results.grid.strategies)
    figures = [_figure("evaluations", evaluations, by_evaluation, results.metric)]
    if end > 0:
        at = np.linspace(end / N_POINTS, end, N_POINTS)
        over_time = {s: _at_times(results, s, at) for s in results.grid.strategies}
        figures.append(_figure("simulated seconds", at, over_time, results.metric))
    legend = join(
        element("li", element("b", "\u25cf ", style=f"color:{_color(i)}"), strategy)
        for i, strategy in enumerate(results.grid.strategies)
    )
    note = "Lines are means over seeds, bands reach from the lower to the upper quartile."
    return join([element("div", *figures, class_="figures"), element("ul", legend), element("p", note, class_="note")])


def _at_times(results: Results, strategy: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the judged value at moments of the simulated clock, shape ``(n_seeds, len(at))``."""
    values, seconds = results.values(strategy), results.values(strategy, "seconds")
    found = []
    for value, second in zip(values, seconds, strict=True):
        position = np.searchsorted(second, at, side="right") - 1
        found.append(np.where(position >= 0, value[np.maximum(position, 0)], np.nan))
    return np.array(found)


def _figure(x: str, at: NDArray[np.float64], curves: dict[str, NDArray[np.float64]], metric: str) -> Markup:
    bands = {s: _band(values) for s, values in curves.items()}
    across = axis_of(x, at.tolist(), from_zero=True)
    shown = [value for band in bands.values() for row in band for value in row[len(at) // 20 :].tolist()]
    up = axis_of(metric, shown)
    content = [_drawn(at, band, across, up, number, strategy) for number, (strategy, band) in enumerate(bands.items())]
    return frame(across, up, *content, label=f"mean {metric} of each strategy against {x}")


def _band(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, lower and upper quartile over seeds; NaN where no seed has a value."""
    known = ~np.isnan(values).all(axis=0)
    found = np.full((3, values.shape[1]), np.nan)
    found[0, known] = np.nanmean(values[:, known], axis=0)
    found[1:, known] = np.nanquantile(values[:, known], (0.25, 0.75), axis=0)
    return found[0], found[1], found[2]


def _drawn(
    at: NDArray[np.float64],
    band: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    x: Axis,
    y: Axis,
    number: int,
    strategy: str,
) -> Markup:
    mean, low, high = band
    edge = [*zip(at, low, strict=True), *list(zip(at, high, strict=True))[::-1]]
    area = element("path", d=_course(edge, x, y) + "Z", fill=_color(number), fill_opacity="0.12", stroke="none")
    dash = "5 3" if number >= len(COLORS) else None
    line = element(
        "path",
        element("title", strategy),
        d=_course(zip(at, mean, strict=True), x, y),
        fill="none",
        stroke=_color(number),
        stroke_width="1.8",
        stroke_dasharray=dash,
    )
    return join([area, line])


def _course(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    inside = [(a, min(max(b, y.low), y.high)) for a, b in points if -inf < b < inf]
    return "M" + "L".join(f"{coordinate(x.x(a))} {coordinate(y.y(b))}" for a, b in inside) if inside else "M0 0"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    head = element("thead", element("tr", *(element("th", h, scope="col") for h in heads)))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell, class_="number") for cell in rest))
        for first, *rest in rows
    ]
    return element("div", element("table", head, element("tbody", *body)), class_="scroll")


def _table_of_means(results: Results) -> Markup:
    found = results.summaries
    columns = list(next(iter(found.values())))
    metric = results.metric

    def cell(strategy: str, n: int) -> str:
        each = found[strategy][n]
        spread = f"{value_text(metric, each.mean)} \u00b1 {value_text(metric, each.sd)}"
        return f"{spread} (se {value_text(metric, each.standard_error)})"

    rows = [[strategy, *(cell(strategy, n) for n in columns)] for strategy in found]
    expected = results.expectation
    if expected:
        rows.append(["random draws, exact expectation", *(value_text(metric, expected[n]) for n in columns)])
    note = f"{metric} after so many evaluations: mean \u00b1 standard deviation over seeds (standard error)."
    return join([_table(["strategy", *map(str, columns)], rows), element("p", note, class_="note")])


FACT_HEADS = ("average rank", "at optimum", "distinct", "CPU ms a trial")


def fact_cells(fact: Mapping[str, float]) -> tuple[str, ...]:
    """Return what a strategy has under ``FACT_HEADS``."""
    return (
        f"{fact['rank']:.2f}",
        f"{100 * fact['share_at_optimum']:.1f} %",
        f"{fact['distinct']:.1f}",
        f"{fact['cpu_milliseconds']:.2f}",
    )


def _table_of_facts(results: Results) -> Markup:
    rows = [
        [strategy, *fact_cells(fact), f"{fact['simulated_seconds']:.0f}"] for strategy, fact in results.facts.items()
    ]
    return _table(["strategy", *FACT_HEADS, "simulated seconds"], rows)


def _table_of_tests(results: Results) -> Markup:
    metric = results.metric
    rows = [
        [
            f"{test.a} less {test.b}",
            value_text(metric, test.difference),
            f"{value_text(metric, test.low)} to {value_text(metric, test.high)}",
            f"{test.p:.2g}",
        ]
        for test in results.comparisons
    ]
    note = "Paired by seed at the last evaluation; Wilcoxon signed-rank, corrected for all pairs by Holm's method."
    table = _table(["pair", "mean difference", "95 % interval", "p"], rows)
    return join([table, element("p", note, class_="note")])
