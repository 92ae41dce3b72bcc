"""The best-practice checklist for scientific NAS research, filled in from what is known.

Lindauer & Hutter 2020, "Best Practices for Scientific Research on Neural Architecture Search", JMLR
(arXiv 1909.02453).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.report._format import component_text
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.report._base import Findings

MARKS = {True: "done", False: "missing", None: "yours to judge"}


def checklist_table(rows: Sequence[tuple[str, bool | None, str]]) -> Markup:
    """Return the checklist as a table.

    Args:
        rows: (practice, whether it was kept or None if only a person can say, what was done).
    """
    body = [
        element("tr", element("th", practice, scope="row"), element("td", MARKS[kept]), element("td", how))
        for practice, kept, how in rows
    ]
    head = element("thead", element("tr", *(element("th", h, scope="col") for h in ("practice", "state", "how"))))
    note = element(
        "p",
        "After Lindauer & Hutter 2020, Best Practices for Scientific Research on Neural Architecture Search "
        "(arXiv 1909.02453); filled in from the log.",
        class_="note",
    )
    return join(
        [element("div", element("table", head, element("tbody", *body), class_="facts"), class_="scroll"), note]
    )


def checklist_section(found: Findings) -> Markup:
    """Return what a single study keeps of the checklist, and what it lacks."""
    created = found.created
    versions = ", ".join(f"{name} {version}" for name, version in dict(created.get("versions", {})).items())
    strategy = component_text(created.get("strategy"))
    was_tested = any(result.test_error == result.test_error for result in found.final)
    is_random = strategy.startswith("random-search")
    return checklist_table(
        [
            ("Space, training and their settings stated", True, component_text(created.get("estimator"))),
            ("Method and its hyper-parameters stated", True, strategy),
            ("Seeds stated", True, f"seed {created.get('seed')}"),
            ("Hardware and versions stated", bool(versions), versions or "not in the log"),
            ("Several runs with different seeds", False, "one study has one seed; run it again with others"),
            (
                "Compared to random search",
                True if is_random else None,
                "this is random search" if is_random else "only to the expectation over this study's own trials, above",
            ),
            ("Performance over time", True, "the curves above"),
            ("Test data kept away from the search", True, "locked until the final training"),
            ("Winner trained anew and tested", was_tested, "once" if was_tested else "no test result in the log"),
            ("How the hyper-parameters were tuned", False, "not known to this report: say so where you publish"),
            ("Ablation", False, "none in a single study"),
            ("Cost of the whole search", True, "see Cost and failures"),
        ]
    )
