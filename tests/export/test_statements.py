"""Statements of one level."""

from dataclasses import replace

import pytest

from nasturtium.export._statements import attribute, body, has_state
from nasturtium.graphs import Builder, delayed, live_nodes
from nasturtium.graphs import operations as o

FORMULAS = {"relu": "functional.relu({0})", "sum": "{0} + {1}", "same": "{0}"}


def lines(graph):
    return [statement for _, statement in body(graph, FORMULAS).statements]


def test_a_chain_is_called_x():
    b = Builder()
    x = b.add("relu", o.Activation(), b.add("fc", o.Linear(4), b.input("image", (4,))))
    assert lines(b.graph(x)) == ["x = self.fc(x)", "x = functional.relu(x)"]


def test_branches_are_called_after_their_nodes():
    b = Builder()
    x = b.input("image", (4,))
    left, right = b.add("left", o.Linear(4), x), b.add("right", o.Linear(4), x)
    assert lines(b.graph(b.add("sum", o.Add(), left, right))) == [
        "left = self.left(x)",
        "x = self.right(x)",
        "x = left + x",
    ]


def test_several_inputs_keep_their_names():
    b = Builder()
    x, y = b.input("previous", (4,)), b.input("last", (4,))
    graph = b.graph(b.add("sum", o.Add(), b.add("fc", o.Linear(4), x), y))
    assert body(graph, FORMULAS).arguments == ("previous", "last")
    assert lines(graph) == ["fc = self.fc(previous)", "sum = fc + last"]


def test_identities_are_not_written():
    b = Builder()
    x = b.input("x", (4,))
    same = b.add("same", o.Identity(), x)
    fc = b.add("fc", o.Linear(4), same)
    graph = b.graph(b.add("sum", o.Add(), fc, x))
    # x must not be overwritten while a second name for it is read.
    assert lines(graph) == ["fc = self.fc(x)", "x = fc + x"]
    other = b.graph(fc, same)
    assert body(other, FORMULAS).results == ("fc", "x")


def test_edge_weights_are_factors_in_brackets_where_needed():
    b = Builder()
    x = b.input("x", (4,))
    half = tuple(replace(e, weight=0.5) for e in x)
    fc = b.add("fc", o.Linear(4), half)
    same = b.add("same", o.Identity(), tuple(replace(e, weight=-2.0) for e in fc))
    graph = b.graph(b.add("sum", o.Add(), half, same))
    assert lines(graph) == ["fc = self.fc(0.5 * x)", "same = -2.0 * fc", "x = (0.5 * x) + same"]


def test_dead_nodes_are_not_written():
    b = Builder()
    x = b.input("x", (4,))
    b.add("dead", o.Linear(4), x)
    graph = b.graph(b.add("fc", o.Linear(4), x))
    assert live_nodes(graph) == {"x", "fc"}
    assert lines(graph) == ["x = self.fc(x)"]


def test_outputs_of_a_nested_graph():
    inner = Builder()
    x = inner.input("x")
    cell = inner.graph(inner.add("wide", o.Linear(8), x), inner.add("slim", o.Linear(2), x))
    b = Builder()
    node = b.add("cell", cell, b.input("x", (4,)))
    slim = tuple(replace(e, output="slim") for e in node)
    assert lines(b.graph(b.add("fc", o.Linear(2), slim))) == [
        "_, cell_slim = self.cell(x)",
        "fc = self.fc(cell_slim)",
    ]


def test_state_of_a_recurrent_level():
    b = Builder()
    total = b.add("sum", o.Add(), b.input("x", (4,)))
    b.extend("sum", delayed(total))
    written = body(b.graph(total), FORMULAS)
    assert written.before == ("sum_before",)
    assert written.statements == (("sum", "x = x + sum_before"),)
    assert (written.results, written.after) == (("x",), ("x",))


def test_state_of_nested_graphs():
    inner = Builder()
    total = inner.add("sum", o.Add(), inner.input("x"))
    inner.extend("sum", delayed(total))
    b = Builder()
    written = body(b.graph(b.add("cell", inner.graph(total), b.input("x", (4,)))), {})
    assert written.before == written.after == ("cell_state",)
    assert written.statements == (("cell", "x, cell_state = self.cell(x, cell_state)"),)


def test_memory_that_no_output_depends_on_is_left_out():
    b = Builder()
    x = b.input("x", (4,))
    total = b.add("sum", o.Add(), x)
    b.extend("sum", delayed(total))
    graph = b.graph(b.add("fc", o.Linear(4), x))
    assert graph.is_recurrent
    assert not has_state(graph)
    assert body(graph, FORMULAS).before == ()


@pytest.mark.parametrize("name", ["train", "half", "lambda", "step", "_modules"])
def test_names_that_cannot_be_attributes(name):
    assert attribute(name) == f'self._modules["{name}"]'


def test_variables_that_would_hide_something_get_a_suffix():
    b = Builder()
    x, y = b.input("torch", (4,)), b.input("self", (4,))
    written = body(b.graph(b.add("sum", o.Add(), x, y)), FORMULAS)
    assert written.arguments == ("torch_", "self_")
