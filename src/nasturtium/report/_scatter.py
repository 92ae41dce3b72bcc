"""The scatter plot of two metrics over all trials, its front highlighted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, final

from nasturtium.report._axes import BOTTOM as FOOT
from nasturtium.report._axes import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, axis_of, frame
from nasturtium.report._base import is_finite
from nasturtium.report._format import title_of, value_text
from nasturtium.report._markup import Markup, coordinate, element, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_TITLES = 1_500
"""With more points than these, those off the front are drawn as one path without hover texts."""

_LABEL = (22.0, 12.0)


@final
@dataclass(frozen=True, slots=True)
class Dot:
    """One trial in the plot.

    Args:
        number: The trial's number.
        x: Its value on the horizontal axis; may be NaN, it is then left out.
        y: Its value on the vertical axis; likewise.
        title: The hover text.
        is_front: Whether it is on the Pareto front.
        is_partial: Whether it was measured at less than the full fidelity.
    """

    number: int
    x: float
    y: float
    title: str
    is_front: bool = False
    is_partial: bool = False


def scatter(
    dots: Sequence[Dot],
    x: str,
    y: str,
    *,
    limits: Mapping[str, float] | None = None,
    has_stairs: bool = False,
) -> Markup:
    """Return the plot as SVG.

    Args:
        dots: The trials.
        x: Metric of the horizontal axis.
        y: Metric of the vertical axis.
        limits: Greatest values by metric, drawn as lines where the axes reach them.
        has_stairs: Whether the front's dots are joined by the stairs that bound what they
            dominate; they come the best vertical value first.
    """
    shown = [dot for dot in dots if is_finite(dot.x) and is_finite(dot.y)]
    across, up = axis_of(x, [dot.x for dot in shown]), axis_of(y, [dot.y for dot in shown])
    front = [dot for dot in shown if dot.is_front]
    others = [dot for dot in shown if not dot.is_front]
    draw_others = _cloud if len(others) > MOST_TITLES else _circles
    content = [
        draw_others(others, across, up),
        *_limit_lines(limits or {}, across, up),
        _stairs(front, across, up) if has_stairs else Markup(),
        *(_front_dot(dot, across, up) for dot in front),
        *_labels(front, across, up),
    ]
    label = f"{title_of(y)} against {title_of(x)}: {len(shown)} trials, {len(front)} on the front"
    return frame(across, up, *content, label=label)


def _circles(dots: Sequence[Dot], x: Axis, y: Axis) -> Markup:
    return join(
        element(
            "circle",
            element("title", dot.title),
            cx=x.x(dot.x),
            cy=y.y(dot.y),
            r=3,
            class_="partial" if dot.is_partial else "trial",
        )
        for dot in dots
    )


def _cloud(dots: Sequence[Dot], x: Axis, y: Axis) -> Markup:
    """Return many dots as one path; dots at the same place are drawn once."""
    paths = []
    for kind in ("partial", "trial"):
        chosen = [dot for dot in dots if dot.is_partial == (kind == "partial")]
        places = dict.fromkeys((round(x.x(dot.x), 1), round(y.y(dot.y), 1)) for dot in chosen)
        course = "".join(f"M{coordinate(a)} {coordinate(b)}h0" for a, b in places)
        if course:
            paths.append(element("path", d=course, class_=f"cloud {kind}"))
    return join(paths)


def _front_dot(dot: Dot, x: Axis, y: Axis) -> Markup:
    """Return a dot of the front; it leads to its row in the table."""
    circle = element("circle", element("title", dot.title), cx=x.x(dot.x), cy=y.y(dot.y), r=5, class_="front")
    return element("a", circle, href=f"#front-{dot.number}")


def _labels(dots: Sequence[Dot], x: Axis, y: Axis) -> list[Markup]:
    """Return the numbers beside the front's dots, as many as fit without touching."""
    taken: list[tuple[float, float]] = []
    labels = []
    for dot in dots:
        place = (min(x.x(dot.x) + 7, WIDTH - RIGHT - _LABEL[0]), max(y.y(dot.y) - 6, TOP + 4.0))
        if all(abs(place[0] - a) > _LABEL[0] or abs(place[1] - b) > _LABEL[1] for a, b in taken):
            taken.append(place)
            labels.append(element("text", dot.number, x=place[0], y=place[1], class_="label"))
    return labels


def _stairs(front: Sequence[Dot], x: Axis, y: Axis) -> Markup:
    if len(front) < 2:
        return Markup()
    course = f"M{coordinate(x.x(front[0].x))} {coordinate(y.y(front[0].y))}"
    for _, after in pairwise(front):
        course += f"V{coordinate(y.y(after.y))}H{coordinate(x.x(after.x))}"
    return element("path", d=course, class_="stairs", fill="none")


def _limit_lines(limits: Mapping[str, float], x: Axis, y: Axis) -> list[Markup]:
    lines = []
    for metric, bound in limits.items():
        title = element("title", f"limit: {title_of(metric)} ≤ {value_text(metric, bound)}")
        if metric == x.metric and x.holds(bound):
            at = coordinate(x.x(bound))
            course = f"M{at} {TOP}V{HEIGHT - FOOT}"
        elif metric == y.metric and y.holds(bound):
            course = f"M{LEFT} {coordinate(y.y(bound))}H{WIDTH - RIGHT}"
        else:
            continue
        lines.append(element("path", title, d=course, class_="limit", fill="none"))
    return lines
