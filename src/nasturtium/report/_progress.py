"""The report's sections on progress, and on what random search would have found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium.report._curve import expected_best, figures, progress
from nasturtium.report._format import component_name, counted, duration, title_of, value_text
from nasturtium.report._grid import plain_table
from nasturtium.report._markup import Markup, element, join
from nasturtium.report._verdict import is_random, random_draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.report._base import Findings

_N_EXPECTED = 100


def progress_section(found: Findings) -> Markup:
    """Return the anytime curves."""
    steps = progress(found)
    if not steps:
        return element("p", "No trial has a value of the first objective yet.")
    metric = found.objectives[0].metric
    last = steps[-2]
    words = (
        f"The best {title_of(metric)}, {value_text(metric, last.value)}, came with trial "
        f"{last.trial}, after {last.n_trials:,} of {steps[-1].n_trials:,} trials that are over and "
        f"{duration(last.seconds)} of {duration(steps[-1].seconds)} charged."
    )
    compared = is_random(found)
    key = (
        "Charged seconds are summed over all workers."
        " Only trials at the study's full fidelity and within the limits count."
    )
    dashed = " Dashed: the expectation over random orders of the same trials." if compared else ""
    expected = expectation(found) if compared else ()
    return join(
        [
            element("p", words),
            element("div", figures(found, expected=expected), class_="figures"),
            element("p", key + dashed, class_="note"),
        ]
    )


def expectation(found: Findings) -> list[tuple[float, float]]:
    """Return (number of trials, expected best value) under random orders of the trials."""
    losses = _completed_losses(found)
    counts = np.unique(np.linspace(1, len(losses), min(len(losses), _N_EXPECTED)).astype(int))
    sign = -1.0 if found.objectives[0].maximize else 1.0
    return [(float(k), sign * expected_best(losses, int(k))) for k in counts]


def _completed_losses(found: Findings) -> NDArray[np.float64]:
    over = np.asarray(found.history.completed, dtype=int)
    losses: NDArray[np.float64] = found.losses[over, 0]
    return losses


def random_section(found: Findings) -> Markup:
    """Return what random search would have found, as far as it is known."""
    if is_random(found):
        losses, drawn = _completed_losses(found), "This study ran random search"
        added = "what the last trials added"
    else:
        draws = random_draws(found)
        if not draws:
            return element("p", *_unknown(found))
        losses = np.array([found.losses[trial.number, 0] for trial in draws])
        drawn = f"This search began with {counted(len(draws), 'random candidate')}"
        added = "what random search finds with so few trials, to be compared with what the search found"
    if np.isnan(losses).all():
        return element("p", f"{drawn}; no trial has a value yet.")
    metric, n = found.objectives[0].metric, len(losses)
    sign = -1.0 if found.objectives[0].maximize else 1.0
    rows = [
        (f"{k:,}", value_text(metric, sign * expected_best(losses, k)))
        for k in sorted({max(1, n // 8), max(1, n // 4), max(1, n // 2), n})
    ]
    words = f"{drawn}. The exact expectation of the best of fewer of them, drawn without replacement, says {added}:"
    table = plain_table(("trials", f"expected best {title_of(metric)}"), rows)
    return join([element("p", words), table])


def _unknown(found: Findings) -> list[object]:
    stored = found.created.get("strategy")
    name = component_name(stored) if stored else "its strategy"
    n_over = len(found.history.completed)
    return [
        f"Not known. This study ran {name} and recorded no random arm, so the report can't say "
        f"whether {name} was worth it here. To find out, run the same search with ",
        element("code", f"--strategy random-search --trials {max(n_over, 1)}"),
        " and compare the two reports.",
    ]
