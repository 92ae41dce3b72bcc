"""Depth: the published layer counts, and the ways through nested graphs."""

import pytest

from nasturtium.graphs import Builder, delayed
from nasturtium.graphs import operations as o


def resnet(blocks_a_stage):
    """Return a residual network of He et al. 2016, section 4.2 (the way around of option B)."""
    b = Builder()
    x = b.add("stem", o.Conv(16), b.input("image", (3, 32, 32)))
    for stage, width in enumerate((16, 32, 64)):
        for i in range(blocks_a_stage):
            x = b.add(f"block_{stage}_{i}", o.Residual(width, stride=2 if stage and not i else 1), x)
    return b.graph(b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), x)))


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_residual_networks_are_as_deep_as_their_names_say(depth):
    assert resnet((depth - 2) // 6).depth == depth


def two_ways():
    """Return a graph of two inputs and outputs: the first input goes through one layer, the second through two."""
    b = Builder()
    x, y = b.input("x"), b.input("y")
    one = b.add("one", o.Linear(4), x)
    two = b.add("two", o.Linear(4), b.add("between", o.Linear(4), y))
    return b.graph(b.add("first", o.Add(), one, two), b.add("second", o.Activation(), two))


@pytest.mark.parametrize(("before_x", "before_y", "depth"), [(0, 0, 2), (3, 0, 4), (0, 3, 5), (2, 1, 3)])
def test_each_way_through_a_nested_graph_is_followed(before_x, before_y, depth):
    b = Builder()
    ends = []
    for name, n_layers in (("x", before_x), ("y", before_y)):
        wire = b.input(name, (4,))
        for i in range(n_layers):
            wire = b.add(f"{name}_{i}", o.Linear(4), wire)
        ends.append(wire)
    assert b.graph(b.add("cell", two_ways(), *ends)).depth == depth


def test_a_delayed_edge_ends_a_way():
    b = Builder()
    x = b.add("fc", o.Linear(4), b.input("x", (4,)))
    state = b.add("state", o.Add(), x)
    b.extend("state", delayed(b.add("update", o.Linear(4), state)))
    assert b.graph(state).depth == 1


def test_what_leads_to_no_output_has_no_depth():
    b = Builder()
    x = b.input("x", (4,))
    b.add("dead", o.Linear(4), b.add("dead_too", o.Linear(4), x))
    assert b.graph(b.add("fc", o.Linear(2), x)).depth == 1
    b = Builder()
    assert b.graph(b.input("x", (4,))).depth == 0
