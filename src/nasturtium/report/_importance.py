"""The report's section on which decisions mattered."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.report._base import Findings, is_finite
from nasturtium.report._format import counted, number, percent, title_of
from nasturtium.report._grid import plain_table
from nasturtium.report._markup import Markup, element, join
from nasturtium.spaces import Decisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_ROWS = 15
"""So many decisions are listed."""

LEAST_TRIALS = 10
"""A decision that fewer candidates were asked is left out."""

SHUFFLES = 999
"""Permutations behind a p-value."""

BINS = 4
"""Numbers with more values than this are cut into so many groups of about the same size."""


@final
@dataclass(frozen=True)
class Importance:
    """How much one decision explains.

    Args:
        decision: Its path.
        explained: Share of the variance of the ranks that its groups explain, corrected for their
            number (epsilon squared); at most 1, below 0 where groups explain less than chance.
        p: Share of permutations that explain as much.
        best: The value with the best mean rank.
        n: Number of candidates that were asked.
    """

    decision: str
    explained: float
    p: float
    best: str
    n: int


def importance_section(found: Findings) -> Markup:
    """Return the table of decisions by how much of the first objective's variance they explain."""
    if not isinstance(found.history.study.space, Decisions):
        return element("p", "The space is no tree of decisions, so none can be weighed.")
    rows = importances(found)
    if not rows:
        return element("p", f"Fewer than {LEAST_TRIALS} candidates have a value, too few to weigh decisions.")
    metric = title_of(found.objectives[0].metric)
    words = (
        f"How much of the variance of the {metric} (its ranks) each decision alone explains among the evaluated "
        "candidates (one-way analysis of variance, epsilon squared), with the share of 999 permutations that explain "
        "as much. A search favours what it found good, so this describes its candidates, not the space."
    )
    table = plain_table(
        ("decision", "explains", "p", "best value on average", "candidates"),
        [
            (row.decision, percent(max(row.explained, 0.0)), number(row.p), row.best, f"{row.n:,}")
            for row in rows[:MOST_ROWS]
        ],
    )
    more = f" The first {MOST_ROWS} of {counted(len(rows), 'decision')}." if len(rows) > MOST_ROWS else ""
    return join([element("p", words + more, class_="note"), table])


def importances(found: Findings) -> list[Importance]:
    """Return the decisions by what they explain, the most first; of a space that is a tree of decisions."""
    space = found.history.study.space
    assert isinstance(space, Decisions)
    losses = found.losses[:, 0]
    values: dict[str, list[tuple[float, object]]] = defaultdict(list)
    for trial in found.trials:
        loss = float(losses[trial.number])
        if trial.architecture is not None and is_finite(loss):
            for decision, value in space.trace(trial.architecture):
                values[decision.path].append((loss, value))
    rng = np.random.default_rng(0)
    rows = [_importance(path, pairs, rng) for path, pairs in values.items() if len(pairs) >= LEAST_TRIALS]
    return sorted((row for row in rows if row is not None), key=lambda row: -row.explained)


def _importance(path: str, pairs: Sequence[tuple[float, object]], rng: np.random.Generator) -> Importance | None:
    """Return what one decision explains; None if all candidates have the same value."""
    losses = np.array([loss for loss, _ in pairs])
    ranks = _ranks(losses)
    labels, names = _groups([value for _, value in pairs])
    if len(names) < 2 or len(names) == len(pairs) or ranks.std() == 0:
        return None
    explained = epsilon_squared(ranks, labels, len(names))
    at_least = sum(epsilon_squared(rng.permutation(ranks), labels, len(names)) >= explained for _ in range(SHUFFLES))
    means = [ranks[labels == group].mean() for group in range(len(names))]
    return Importance(path, explained, (1 + at_least) / (1 + SHUFFLES), names[int(np.argmin(means))], len(pairs))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 0, equal values sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = (ends - (counts + 1) / 2)[inverse]
    return middle


def _groups(values: Sequence[object]) -> tuple[NDArray[np.int64], list[str]]:
    """Return each value's group, and the groups' names; numbers with many values are cut at quantiles."""
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values) and len(set(values)) > BINS:
        numbers = np.array(values, dtype=np.float64)
        inner = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
        labels = np.searchsorted(inner, numbers, side="left")
        used = sorted({int(label) for label in labels})
        spans = [numbers[labels == label] for label in used]
        named = [f"{number(float(s.min()))} to {number(float(s.max()))}" for s in spans]
        return np.array([used.index(int(label)) for label in labels]), named
    names = sorted({str(value) for value in values})
    return np.array([names.index(str(value)) for value in values]), names


def epsilon_squared(ranks: NDArray[np.float64], labels: NDArray[np.int64], n_groups: int) -> float:
    """Return the share of the variance that groups explain, corrected for their number.

    Args:
        ranks: Shape ``(n,)``, not all equal.
        labels: Shape ``(n,)``, whole numbers below ``n_groups``.
        n_groups: Their number, below n.

    References:
        Kelley 1935, "An unbiased correlation ratio measure".
    """
    n = len(ranks)
    counts = np.bincount(labels, minlength=n_groups)
    means = np.bincount(labels, ranks, minlength=n_groups) / counts
    total = float(np.square(ranks - ranks.mean()).sum())
    within = float(np.square(ranks - means[labels]).sum())
    return 1 - within / (n - n_groups) / (total / (n - 1))
