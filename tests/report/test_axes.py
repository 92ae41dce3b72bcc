import math

import pytest

from nasturtium.report._axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    axis_of,
    frame,
    tick_text,
)
from nasturtium.report._markup import Markup


def test_ends_stand_at_the_corners_of_the_frame():
    axis = Axis("x", 10.0, 20.0)
    assert (axis.x(10.0), axis.x(20.0)) == (LEFT, WIDTH - RIGHT)
    assert (axis.y(10.0), axis.y(20.0)) == (HEIGHT - BOTTOM, TOP)


def test_a_logarithmic_axis_puts_the_geometric_mean_in_the_middle():
    assert Axis("x", 1.0, 100.0, is_log=True).share(10.0) == pytest.approx(0.5)
    assert Axis("x", 1.0, 100.0, is_log=True).share(0.0) == 0.0


@pytest.mark.parametrize(
    ("values", "is_log"),
    [([1, 5], False), ([1, 50], True), ([0, 50], False), ([-1, 50], False), ([], False)],
)
def test_wide_positive_values_get_a_logarithmic_axis(values, is_log):
    assert axis_of("x", values).is_log is is_log


@pytest.mark.parametrize(
    "values",
    [[], [math.nan], [math.inf, 1.0], [0.0], [5.0], [-3.0, -3.0], [1e-9, 1e9], [0.1, 0.100001]],
)
def test_every_axis_has_ends_in_order_and_holds_its_values_and_ticks(values):
    axis = axis_of("x", values)
    assert axis.low < axis.high
    assert all(axis.holds(v) for v in values if math.isfinite(v))
    assert axis.ticks()
    assert all(axis.holds(tick) for tick in axis.ticks())
    assert len(axis.ticks()) <= 12


def test_values_from_zero_up_keep_zero_as_the_end():
    assert axis_of("x", [0.01, 0.05]).low >= 0
    assert axis_of("x", [3.0, 4.0], from_zero=True).low == 0.0
    assert axis_of("x", [], from_zero=True).high == 1.0


def test_ticks_are_round():
    assert Axis("x", 0.0, 1.0).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Axis("x", 900.0, 110_000.0, is_log=True).ticks() == pytest.approx([1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5])
    assert [tick_text("params", t) for t in (1e3, 2.5e6)] == ["1k", "2.5M"]


def test_the_frame_holds_titles_ticks_content_and_a_description():
    svg = frame(Axis("params", 0.0, 10.0), Axis("valid_error", 0.0, 1.0), Markup("<g/>"), label="<x>")
    for part in ("parameters", "validation error", "100 %", "<g/>", 'aria-label="&lt;x&gt;"'):
        assert part in svg
