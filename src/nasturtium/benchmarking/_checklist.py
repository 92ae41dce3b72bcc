"""The best-practice checklist of a comparison, filled in from what was run."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from nasturtium._versions import versions
from nasturtium.report import checklist_table

if TYPE_CHECKING:
    from nasturtium.benchmarking._results import Results
    from nasturtium.report import Markup

FEW_SEEDS = 10
"""Fewer runs than this are called few."""


def checklist(results: Results) -> Markup:
    """Return the checklist of Lindauer & Hutter 2020 (arXiv 1909.02453) for a comparison."""
    grid, benchmark = results.grid, results.grid.benchmark
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    many = grid.seeds >= FEW_SEEDS
    cpu = max(run.cpu_milliseconds for run in results.runs) if results.runs else 0.0
    return checklist_table(
        [
            ("Same space, data and training for all methods", True, f"one table: {benchmark.name}"),
            ("Same evaluation protocol", True, f"{grid.protocol}"),
            ("Confounding factors controlled", True, f"one table, one release of this package: {found}"),
            (
                "Hardware stated",
                True,
                f"{platform.platform()}, {os.cpu_count()} CPUs; a run from another is taken as it is",
            ),
            ("Performance over time, not only at the end", True, "curves over evaluations and simulated seconds"),
            ("Random search in the comparison", True, "always in the grid"),
            ("Several runs with different seeds", many, f"{grid.seeds} seeds" + ("" if many else "; take 10 or more")),
            ("Tabular or surrogate benchmark", True, benchmark.reference),
            ("Hyper-parameters of the methods", True, "; ".join(grid.strategies)),
            ("How these were tuned", False, "not known to this report: say whether you tuned them, and on what"),
            ("Ablation of the method's parts", None, "a grid of one method's settings is one; judge for yourself"),
            ("Cost of the methods themselves", True, f"at most {cpu:.2f} CPU ms a trial in a run"),
            ("End-to-end time of a real search", False, "a table gives simulated seconds; train the winner to know"),
            ("Code and space available", None, "those of this package; publish what you added to it"),
        ]
    )
