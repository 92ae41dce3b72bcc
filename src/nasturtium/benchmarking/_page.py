"""The report of a comparison: one HTML file with anytime curves, tables and the checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.benchmarking._anytime import chart, color
from nasturtium.benchmarking._checklist import checklist
from nasturtium.benchmarking._sheets import facts, means, tests
from nasturtium.report import Markup, element, fill_page, join, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.benchmarking._anytime import Curves
    from nasturtium.benchmarking._results import Results
    from nasturtium.benchmarking._sheets import Sheet


def page(results: Results, curves: Sequence[Curves]) -> str:
    """Return the report as HTML that asks for nothing from anywhere."""
    sections = (
        ("curves", "Anytime curves", _figures(results, curves)),
        ("results", "Results", _table(means(results))),
        ("facts", "Regret, ranks, optima, cost", _table(facts(results))),
        ("tests", "Paired tests", _table(tests(results))),
        ("checklist", "Best-practice checklist", checklist(results)),
    )
    benchmark = results.grid.benchmark
    protocol = results.grid.protocol
    about = (
        f"{results.grid.seeds} seeds of {protocol.trials} evaluations, {protocol.workers} simulated workers, "
        f"scheduler {protocol.scheduler}. Signal: {', '.join(benchmark.objectives)}; judged by {results.metric}, of "
        f"which the table's best is {value_text(results.metric, results.optimum)}. "
        f"Simulated seconds: {benchmark.seconds}. Reference: {benchmark.reference}."
    )
    return fill_page(
        f"Comparison on {benchmark.name}",
        summary=element("p", about),
        links=join(element("a", title, href=f"#{anchor}") for anchor, title, _ in sections),
        sections=join(element("section", element("h2", t), body, id=anchor) for anchor, t, body in sections),
    )


def _figures(results: Results, curves: Sequence[Curves]) -> Markup:
    legend = join(
        element("li", element("b", "\u25cf ", style=f"color:{color(i)}"), strategy)
        for i, strategy in enumerate(results.grid.strategies)
    )
    figures = element("div", *(chart(each, results.metric) for each in curves), class_="figures")
    note = "Lines are means over seeds, areas reach from the lower to the upper quartile."
    return join([figures, element("ul", legend), element("p", note, class_="note")])


def _table(sheet: Sheet) -> Markup:
    head = element("thead", element("tr", *(element("th", h, scope="col") for h in sheet.heads)))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell, class_="number") for cell in rest))
        for first, *rest in sheet.rows
    ]
    table = element("div", element("table", head, element("tbody", *body)), class_="scroll")
    return join([table, element("p", sheet.note, class_="note")])
