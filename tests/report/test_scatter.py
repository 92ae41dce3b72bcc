import re
from math import nan

import pytest

from nasturtium.report import _scatter
from nasturtium.report._axes import axis_of
from nasturtium.report._markup import coordinate
from nasturtium.report._scatter import Dot, scatter

FRONT = [
    Dot(1, 300.0, 0.1, "trial 1", is_front=True),
    Dot(2, 200.0, 0.2, "trial 2", is_front=True),
    Dot(3, 100.0, 0.4, "trial 3", is_front=True),
]
OTHERS = [Dot(4, 250.0, 0.3, "a < b"), Dot(5, 150.0, 0.5, "partly", is_partial=True)]


def test_every_dot_is_at_its_place_with_its_title():
    svg = scatter([*FRONT, *OTHERS], "params", "valid_error")
    x, y = axis_of("params", [100, 300]), axis_of("valid_error", [0.1, 0.5])
    assert len(re.findall("<circle", svg)) == 5
    assert f'cx="{coordinate(x.x(250.0))}" cy="{coordinate(y.y(0.3))}"' in svg
    assert "<title>a &lt; b</title>" in svg
    assert svg.count('class="front"') == 3
    assert svg.count('class="partial"') == 1
    assert 'aria-label="validation error against parameters: 5 trials, 3 on the front"' in svg


def test_dots_of_the_front_lead_to_the_table_and_carry_their_number():
    svg = scatter(FRONT, "params", "valid_error")
    assert re.findall(r'href="#(.*?)"', svg) == ["front-1", "front-2", "front-3"]
    assert re.findall(r'class="label">(\d+)<', svg) == ["1", "2", "3"]


def test_labels_that_would_touch_are_left_out():
    close = [Dot(i, 100.0 + i / 1000, 0.1, "", is_front=True) for i in range(5)]
    far = Dot(9, 200.0, 0.5, "", is_front=True)
    assert re.findall(r'class="label">(\d+)<', scatter([*close, far], "x", "y")) == ["0", "9"]


def test_stairs_bound_what_the_front_dominates():
    svg = scatter(FRONT, "params", "valid_error", has_stairs=True)
    x, y = axis_of("params", [100, 300]), axis_of("valid_error", [0.1, 0.4])
    course = re.search(r'd="(M[^"]*)" class="stairs"', svg).group(1)
    numbers = [float(n) for n in re.findall(r"[\d.]+", course)]
    wanted = [x.x(300), y.y(0.1), y.y(0.2), x.x(200), y.y(0.4), x.x(100)]
    assert numbers == pytest.approx(wanted, abs=0.01)
    assert re.sub(r"[\d. ]", "", course) == "MVHVH"


def test_limits_are_drawn_where_the_axes_reach_them():
    dots = [*FRONT, *OTHERS]
    svg = scatter(dots, "params", "valid_error", limits={"params": 280.0, "valid_error": 0.45})
    assert svg.count('class="limit"') == 2
    assert "limit: parameters ≤ 280" in svg
    assert 'class="limit"' not in scatter(dots, "params", "valid_error", limits={"params": 1e9})
    assert 'class="limit"' not in scatter(dots, "params", "valid_error", limits={"other": 1.0})


def test_dots_without_a_value_are_left_out():
    assert "<circle" not in scatter([Dot(0, nan, 1.0, ""), Dot(1, 1.0, nan, "")], "x", "y")
    assert "<svg" in scatter([], "x", "y")


def test_very_many_dots_are_one_path_each_place_once(monkeypatch):
    monkeypatch.setattr(_scatter, "MOST_TITLES", 1)
    svg = scatter([*FRONT, *OTHERS, *OTHERS], "params", "valid_error")
    assert svg.count("<circle") == 3
    assert svg.count("h0") == 2
    assert 'class="cloud trial"' in svg
    assert 'class="cloud partial"' in svg
