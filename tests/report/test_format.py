import math

import pytest

from nasturtium.report._format import (
    component_name,
    component_text,
    duration,
    named_value,
    number,
    percent,
    value_text,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (1234.56, "1,234.6"),
        (0.00012345, "0.0001234"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "–"),
    ],
)
def test_numbers(value, written):
    assert number(value) == written


def test_errors_are_per_cent_and_nothing_else_is():
    assert value_text("test_error", 0.5) == "50.00 %"
    assert value_text("mean_squared_error", 0.5) == "0.5"
    assert percent(math.nan) == "–"


def test_costs_read_as_a_count():
    assert named_value("flops", 10.0) == "10 multiply-accumulates"
    assert named_value("latency_ms", 1.5) == "latency (ms) 1.5"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 s"), (59.4, "59.4 s"), (119.7, "2 min 0 s"), (86400, "24 h 0 min"), (math.nan, "–")],
)
def test_durations(seconds, written):
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("component", "name", "written"),
    [
        (None, "none", "none"),
        ("chain", "chain", "chain"),
        ({"opaque": "a.b.C"}, "C", "a.b.C (a class of a script)"),
        ({"name": "x", "arguments": {}}, "x", "x"),
        ({"name": "x", "arguments": {"n": 1, "s": "y"}}, "x", "x(n=1, s='y')"),
    ],
)
def test_components(component, name, written):
    assert component_name(component) == name
    assert component_text(component) == written
