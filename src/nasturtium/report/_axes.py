"""Axes of a chart: scale, ticks, and the frame that both charts share."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, final

from nasturtium.report._base import is_finite
from nasturtium.report._format import is_share, title_of
from nasturtium.report._markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH, HEIGHT = 420, 290
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 14, 46

_LOG_FROM = 10.0
"""Positive values that span more than this factor get a logarithmic axis."""


@final
@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Args:
        metric: What it shows.
        low: Its lower end.
        high: Its upper end, above ``low``.
        is_log: Whether it is logarithmic; both ends are then positive.
    """

    metric: str
    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value stands: 0 at the lower end, 1 at the upper."""
        if self.is_log:
            return log10(value / self.low) / log10(self.high / self.low) if value > 0 else 0.0
        return (value - self.low) / (self.high - self.low)

    def x(self, value: float) -> float:
        """Return a value's horizontal place in the frame."""
        return LEFT + self.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return a value's vertical place in the frame."""
        return HEIGHT - BOTTOM - self.share(value) * (HEIGHT - TOP - BOTTOM)

    def holds(self, value: float) -> bool:
        """Return whether a value is between the ends."""
        return self.low <= value <= self.high

    def ticks(self) -> list[float]:
        """Return round values between the ends."""
        if self.is_log:
            found = _log_ticks(self.low, self.high)
            if len(found) >= 2:
                return found
        return _linear_ticks(self.low, self.high)


def axis_of(metric: str, values: Iterable[float], *, from_zero: bool = False) -> Axis:
    """Return the axis that shows these values, with a little room at both ends.

    Args:
        metric: What it shows.
        values: Numbers; those that are not finite are left out.
        from_zero: Whether it is linear and begins at 0.

    Example:
        >>> axis_of("params", [100.0, 100_000.0]).is_log, axis_of("params", []).ticks()
        (True, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    finite = [value for value in values if is_finite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if not from_zero and low > 0 and high / low > _LOG_FROM:
        room = (high / low) ** 0.05
        return Axis(metric, low / room, high * room, is_log=True)
    if from_zero:
        return Axis(metric, 0.0, high if high > 0 else 1.0)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 0.5
    bottom = max(0.0, low - room) if low >= 0 and len(finite) > 0 else low - room
    return Axis(metric, bottom if finite else 0.0, high + room if finite else 1.0)


def _linear_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = log10(high / low)
    factors = (1, 2, 5) if decades < 3 else (1,)
    exponents = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
    inside = [tick for tick in ticks if low <= tick <= high]
    return inside[:: ceil(len(inside) / 8)] if inside else []


def tick_text(metric: str, value: float) -> str:
    """Return a tick's label: short, in per cent for errors.

    Example:
        >>> tick_text("params", 20_000.0), tick_text("valid_error", 0.05), tick_text("x", 0.5)
        ('20k', '5 %', '0.5')
    """
    if is_share(metric):
        return f"{100 * value:.4g} %"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def frame(x: Axis, y: Axis, *content: Markup, label: str, y_title: str | None = None) -> Markup:
    """Return a chart: grid, ticks and titles of both axes, and the content over them.

    Args:
        x: The horizontal axis.
        y: The vertical axis.
        content: What is drawn.
        label: What the chart shows, for those who can't see it.
        y_title: Other words for the vertical axis than its metric's.
    """
    return element(
        "svg",
        *chart_parts(x, y, content, y_title),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        class_="chart",
        role="img",
        aria_label=label,
    )


def chart_parts(x: Axis, y: Axis, content: Iterable[Markup], y_title: str | None = None) -> list[Markup]:
    """Return the pieces of a chart, see ``frame``, from the back to the front."""
    grid = [_x_tick(x, value) for value in x.ticks()] + [_y_tick(y, value) for value in y.ticks()]
    border = element("path", d=f"M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}", class_="axis", fill="none")
    middle = (LEFT + WIDTH - RIGHT) / 2
    titles = [
        element("text", title_of(x.metric), x=middle, y=HEIGHT - 8, class_="title"),
        element(
            "text",
            y_title or title_of(y.metric),
            x=0,
            y=0,
            class_="title",
            transform=f"translate(13 {(TOP + HEIGHT - BOTTOM) // 2}) rotate(-90)",
        ),
    ]
    return [*grid, border, *titles, *content]


def _x_tick(axis: Axis, value: float) -> Markup:
    x = axis.x(value)
    line = element("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid")
    label = tick_text(axis.metric, value)
    return join([line, element("text", label, x=x, y=HEIGHT - BOTTOM + 15, class_="tick-x")])


def _y_tick(axis: Axis, value: float) -> Markup:
    y = axis.y(value)
    line = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    label = tick_text(axis.metric, value)
    return join([line, element("text", label, x=LEFT - 6, y=y + 4, class_="tick-y")])
