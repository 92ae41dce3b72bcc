"""The report's section on where the best candidate comes from: its line of parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.report._base import Findings, is_finite
from nasturtium.report._format import NOTHING, counted, title_of, value_text
from nasturtium.report._grid import plain_table
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.spaces import Decisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.spaces import Architecture
    from nasturtium.trials import Trial

MOST_GENERATIONS = 60
"""So many ancestors are listed."""

MOST_CHANGES = 6
"""So many differences between parent and child are named."""

_COLUMN, _ROW, _RADIUS = 46.0, 44.0, 15.0


def family_section(found: Findings) -> Markup:
    """Return the family tree of the best candidate and its direct line, with what changed at each birth."""
    best = found.best
    if best is None:
        return element("p", "There is no result, so there is no family.")
    if not best.parents:
        return element("p", f"The best candidate, trial {best.number}, has no parents: it was drawn anew.")
    tree = ancestors(found, best)
    line = direct_line(found, best)
    metric = found.objectives[0].metric
    words = (
        f"The best candidate, trial {best.number}, is of generation {len(line) - 1}: "
        f"{counted(len(tree), 'ancestor')} of {counted(len(found.trials), 'trial')}."
    )
    rows = []
    for parent, child in zip([None, *line], line[: MOST_GENERATIONS + 1], strict=False):
        rows.append((f"{child.number}", _parents(child), _value(found, child), _changes(found, parent, child)))
    table = plain_table(("trial", "parents", title_of(metric), "what changed from its first parent"), rows)
    return join([element("p", words), element("div", family_svg(found, best, tree), class_="scroll"), table])


def ancestors(found: Findings, trial: Trial) -> list[Trial]:
    """Return all ancestors of a trial, by number."""
    known: set[int] = set()
    ahead = list(trial.parents)
    while ahead:
        number = ahead.pop()
        if number not in known:
            known.add(number)
            ahead += found.trials[number].parents
    return [found.trials[number] for number in sorted(known)]


def direct_line(found: Findings, trial: Trial) -> list[Trial]:
    """Return the trial's line of first parents, the oldest first, itself last."""
    line = [trial]
    while line[-1].parents:
        line.append(found.trials[line[-1].parents[0]])
    return line[::-1]


def _parents(trial: Trial) -> str:
    return ", ".join(map(str, trial.parents)) or NOTHING


def _value(found: Findings, trial: Trial) -> str:
    metric = found.objectives[0].metric
    value = trial.metrics.get(metric)
    return NOTHING if value is None else value_text(metric, value)


def _changes(found: Findings, parent: Trial | None, child: Trial) -> str:
    """Return in words how a child differs from its first parent."""
    if parent is None:
        return "drawn anew"
    if parent.architecture is None or child.architecture is None:
        return NOTHING
    before, after = (_choices(found, a) for a in (parent.architecture, child.architecture))
    parts = [
        f"{name}: {_text(before.get(name))} → {_text(after.get(name))}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    more = f" and {len(parts) - MOST_CHANGES} more" if len(parts) > MOST_CHANGES else ""
    return "; ".join(parts[:MOST_CHANGES]) + more or "nothing"


def _choices(found: Findings, architecture: Architecture) -> dict[str, object]:
    """Return what an architecture is made of, by name."""
    space = found.history.study.space
    if isinstance(space, Decisions):
        return {decision.path: value for decision, value in space.trace(architecture)}
    return dict(architecture.to_json())


def _text(value: object) -> str:
    words = NOTHING if value is None else str(value)
    return words if len(words) <= 40 else f"{words[:39]}…"


def family_svg(found: Findings, best: Trial, tree: Sequence[Trial]) -> Markup:
    """Return the tree as SVG: a row a generation, the direct line in orange."""
    members = [*tree, best]
    depth: dict[int, int] = {}
    for member in members:  # parents have lower numbers
        depth[member.number] = max((depth[p] + 1 for p in member.parents), default=0)
    if len(members) > 200:
        return element("p", f"{len(members):,} members are too many to draw.", class_="note")
    on_line = {t.number for t in direct_line(found, best)}
    rows: dict[int, list[int]] = {}
    for member in sorted(members, key=lambda t: (t.number not in on_line, t.number)):
        rows.setdefault(depth[member.number], []).append(member.number)
    place = {n: (24 + i * _COLUMN, 24 + level * _ROW) for level, row in rows.items() for i, n in enumerate(row)}
    lines = [
        element(
            "path",
            d=f"M{coordinate(place[parent][0])} {coordinate(place[parent][1] + _RADIUS)}"
            f"L{coordinate(place[member.number][0])} {coordinate(place[member.number][1] - _RADIUS)}",
            fill="none",
            class_="line" if {parent, member.number} <= on_line else "side",
        )
        for member in members
        for parent in member.parents
    ]
    dots = [_dot(found, member, place[member.number], member.number in on_line) for member in members]
    width = 48 + _COLUMN * (max(map(len, rows.values())) - 1)
    height = 48 + _ROW * (len(rows) - 1)
    return element(
        "svg",
        join([*lines, *dots]),
        viewBox=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=width,
        height=height,
        class_="family",
        role="img",
        aria_label=f"family tree of trial {best.number}: {len(members)} members",
    )


def _dot(found: Findings, trial: Trial, at: tuple[float, float], is_on_line: bool) -> Markup:
    title = f"trial {trial.number}: {title_of(found.objectives[0].metric)} {_value(found, trial)}"
    circle = element("circle", cx=at[0], cy=at[1], r=_RADIUS)
    number = element("text", trial.number, x=at[0], y=at[1] + 4)
    loss = float(found.losses[trial.number, 0])
    kind = "line" if is_on_line else "side"
    return element("g", element("title", title), circle, number, class_=kind if is_finite(loss) else f"{kind} none")
