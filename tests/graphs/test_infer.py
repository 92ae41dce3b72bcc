"""Shapes and costs; the comparison with torch is in ``tests/networks/test_build.py``."""

from dataclasses import replace

import pytest

from nasturtium.errors import ShapeError
from nasturtium.graphs import Builder, Edge, Graph, Node, chain_of, delayed, output_index
from nasturtium.graphs import operations as o


def later(name):
    """Return a wire from a node that comes later."""
    return (Edge(name),)


def test_every_use_of_a_shared_graph_is_counted():
    cell = chain_of([("fc", o.Linear(4))])
    b = Builder()
    y = b.add("two", cell, b.add("one", cell, b.input("x", (4,))))
    found = b.graph(y).infer()
    assert (found.params, found.flops) == (2 * 20, 2 * 16)


def test_shapes_may_be_given_instead_of_declared():
    graph = chain_of([("fc", o.Linear(3))])
    assert graph.infer((5,)).outputs == ((3,),)
    with pytest.raises(ShapeError, match="declares no shape"):
        graph.infer()
    with pytest.raises(ShapeError, match="one shape an input"):
        graph.infer((5,), (5,))


def test_arriving_lists_what_reaches_each_node():
    b = Builder()
    x, y = b.input("x", (2, 4, 4)), b.input("y", (3, 4, 4))
    graph = b.graph(b.add("pool", o.GlobalPool(), b.add("both", o.Concat(), x, y)))
    assert graph.infer().arriving["both"] == ((2, 4, 4), (3, 4, 4))
    assert graph.infer().arriving["pool"] == ((5, 4, 4),)
    assert graph.infer().arriving["x"] == ()


def test_an_edge_may_name_an_output_of_a_nested_graph():
    b = Builder()
    x = b.input("x")
    cell = b.graph(b.add("wide", o.Linear(8), x), b.add("slim", o.Linear(2), x))
    outer = Builder()
    node = outer.add("cell", cell, outer.input("x", (4,)))
    slim = tuple(replace(edge, output="slim") for edge in node)
    graph = outer.graph(outer.add("end", o.Identity(), slim))
    assert graph.shapes == {"x": (4,), "cell": (8,), "end": (2,)}
    assert output_index(graph, graph.by_name["end"].edges[0]) == 1
    wrong = Edge("cell", output="fat")
    with pytest.raises(ShapeError, match=r"has the outputs \['wide', 'slim'\], got 'fat'"):
        output_index(graph, wrong)


def test_an_error_names_the_node_through_all_levels():
    cell = chain_of([("conv", o.Conv2d(3))])
    b = Builder()
    graph = b.graph(b.add("cell", cell, b.input("x", (4,))))
    with pytest.raises(ShapeError, match="at 'cell': at 'conv': conv2d needs one input"):
        _ = graph.shapes


class TestDelayedEdges:
    def test_a_node_may_wait_for_a_later_one(self):
        b = Builder()
        x = b.input("x", (4,))
        h = b.add("h", o.Linear(8), x)
        seen = b.add("seen", o.Activation("tanh"), delayed(later("end")))
        both = b.add("both", o.Concat(), h, seen)
        end = b.add("end", o.Linear(5), both)
        assert b.graph(end).shapes == {
            "x": (4,),
            "h": (8,),
            "seen": (5,),
            "both": (13,),
            "end": (5,),
        }

    def test_a_chain_of_delays_is_followed(self):
        b = Builder()
        h = b.add("h", o.Linear(8), b.input("x", (4,)))
        one = b.add("one", o.Identity(), delayed(h))
        two = b.add("two", o.Identity(), delayed(one))
        assert b.graph(b.add("sum", o.Add(), h, two)).shapes["two"] == (8,)

    def test_into_a_composite_or_a_nested_graph(self):
        cell = chain_of([("conv", o.Conv(3))])
        b = Builder()
        x = b.input("x", (3, 4, 4))
        a = b.add("a", o.Conv(3), delayed(later("end")))
        c = b.add("c", cell, delayed(later("end")))
        graph = b.graph(b.add("end", o.Add(), x, a, c))
        assert graph.shapes["c"] == (3, 4, 4)
        assert graph.params == 2 * (3 * 3 * 9 + 6)

    def test_shapes_that_never_settle_are_refused(self):
        b = Builder()
        y = b.add("growing", o.Concat(), b.input("x", (4,)))
        b.extend("growing", delayed(y))
        with pytest.raises(ShapeError, match=r"stay the same over time.*growing"):
            _ = b.graph(y).shapes

    def test_a_loop_without_a_beginning_is_refused(self):
        nodes = (
            Node("x", o.Input((4,))),
            Node("a", o.Identity(), (Edge("b", delay=1),)),
            Node("b", o.Identity(), (Edge("a"),)),
        )
        with pytest.raises(ShapeError, match="at 'a': identity needs one input"):
            _ = Graph(nodes, ("x",)).shapes

    def test_a_mismatch_over_time_is_refused(self):
        b = Builder()
        y = b.add("sum", o.Add(), b.input("x", (4,)))
        wide = b.add("wide", o.Linear(8), y)
        b.extend("sum", delayed(wide))
        with pytest.raises(ShapeError, match="at 'sum': add needs inputs of one shape"):
            _ = b.graph(y).shapes
