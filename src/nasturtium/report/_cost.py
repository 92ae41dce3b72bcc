"""The report's sections on cost, failures and all trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.report._base import Findings, values_of
from nasturtium.report._format import NOTHING, counted, duration, number, percent
from nasturtium.report._grid import (
    Cell,
    Column,
    facts_table,
    html_table,
    key_column,
    metric_column,
    number_column,
    plain_table,
)
from nasturtium.report._markup import Markup, element, join
from nasturtium.trials import State

if TYPE_CHECKING:
    from nasturtium.trials import Trial

MOST_ROWS = 1_000
"""The greatest number of trials in the table."""

MOST_METRICS = 8
"""The greatest number of metrics in the table."""


def cost_section(found: Findings) -> Markup:
    """Return what the search cost, and what failed why."""
    states = [f"{found.count(state)} {state}" for state in State if found.count(state)]
    facts: dict[str, object] = {
        "trials": f"{len(found.trials):,} ({', '.join(states)})" if states else "0",
        "charged": f"{duration(found.seconds)}, summed over all workers",
        "processor time": _processor(found),
        "epochs trained": f"{sum(trial.step for trial in found.trials):,}",
        "wall clock": _wall(found),
        "lost and run again": counted(sum(trial.attempt for trial in found.trials), "attempt"),
        "draws that broke a limit": _rejected(found),
    }
    plan = found.created.get("plan")
    if isinstance(plan, Mapping) and plan.get("why"):
        facts["how the budget was divided"] = plan["why"]
    return join([facts_table(facts), _failures(found)])


def _processor(found: Findings) -> str:
    """Return the processor time of all trainings, by part, where the log has it."""
    parts = found.created.get("cpu_seconds") or {"search": sum(trial.cpu_seconds for trial in found.trials)}
    total = sum(parts.values())
    if not total:
        return "not recorded"
    return f"{total:,.1f} CPU s ({', '.join(f'{part} {seconds:,.1f} s' for part, seconds in parts.items())})"


def _wall(found: Findings) -> str:
    spent = found.created.get("spent")
    if not isinstance(spent, Mapping):
        return "not recorded"
    total = duration(sum(spent.values()))
    return f"{total} ({', '.join(f'{phase} {duration(s)}' for phase, s in spent.items())})"


def _rejected(found: Findings) -> str:
    share = found.created.get("rejected_share")
    if share is not None:
        return percent(float(share))
    return "not recorded" if found.history.study.space.limits else "none: the space has no limits"


def failures_by_reason(found: Findings) -> dict[str, list[Trial]]:
    """Return the failed trials by the kind of reason, the most frequent first.

    The kind is what stands before the first colon, such as ``diverged`` or ``ValueError``.
    """
    groups: dict[str, list[Trial]] = {}
    for trial in found.trials:
        if trial.state is State.FAILED:
            kind = (trial.reason or "no reason given").split(":")[0].strip()
            groups.setdefault(kind, []).append(trial)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


def _failures(found: Findings) -> Markup:
    groups = failures_by_reason(found)
    if not groups:
        return element("p", "No trial failed.")
    rows = []
    for kind, trials in groups.items():
        numbers = ", ".join(str(trial.number) for trial in trials[:10])
        more = ", …" if len(trials) > 10 else ""
        rows.append((kind, f"{len(trials):,}", trials[0].reason or NOTHING, numbers + more))
    return plain_table(("failed because", "count", "first message", "trials"), rows)


def trials_section(found: Findings) -> Markup:
    """Return the table of trials, capped."""
    if not found.trials:
        return element("p", "No trial was asked for.")
    chosen = best_trials(found, MOST_ROWS)
    caption = "Trials; a click on a heading sorts by it"
    table = html_table(_trial_columns(found), chosen, row_id="trial", caption=caption)
    note = "A click on a heading sorts by it."
    if len(chosen) < len(found.trials):
        note += (
            f" The table holds the {MOST_ROWS:,} of {len(found.trials):,} trials with the best "
            "first objective; `nasturtium show NAME --json` lists all."
        )
    return join([element("p", note, class_="note"), table])


def best_trials(found: Findings, n: int) -> list[Trial]:
    """Return the n trials with the best first objective, by number; all if there are no more."""
    order = np.argsort(found.losses[:, 0], kind="stable")[:n]  # NaN comes last
    return [found.trials[i] for i in sorted(order.tolist())]


def _trial_columns(found: Findings) -> list[Column]:
    objectives = [o.metric for o in found.objectives]
    limited = [limit.metric for limit in found.limits]
    seen = [metric for trial in found.trials for metric in values_of(trial)]
    metrics = list(dict.fromkeys([*objectives, *limited, *seen]))[:MOST_METRICS]
    return [
        number_column(),
        Column("state", lambda t: Cell(str(t.state))),
        *(metric_column(metric) for metric in metrics),
        Column("epochs", lambda t: Cell(str(t.step), float(t.step)), is_number=True),
        Column("seconds", lambda t: Cell(number(t.seconds), t.seconds), is_number=True),
        Column("parents", lambda t: Cell(", ".join(str(parent) for parent in t.parents))),
        Column("remarks", lambda t: Cell(remarks(t))),
        key_column(),
    ]


def remarks(trial: Trial) -> str:
    """Return why a trial failed or stopped, and what was noted while it ran."""
    notes = dict.fromkeys(m.note for m in trial.measurements if m.note)
    times = "once" if trial.attempt == 1 else f"{trial.attempt} times"
    lost = [f"lost {times} and run again"] if trial.attempt else []
    return "; ".join([*([trial.reason] if trial.reason else []), *notes, *lost])
