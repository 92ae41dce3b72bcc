"""The graph: checks, identity, pickling, resolving choices."""

import pickle

import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import (
    Builder,
    Edge,
    Graph,
    Node,
    OpenOperation,
    Pick,
    alternatives,
    chain_of,
    delayed,
    under,
)
from nasturtium.graphs import operations as o

X = Node("x", o.Input((4,)))


@pytest.mark.parametrize(
    ("nodes", "outputs", "message"),
    [
        ((X, X), ("x",), "node names are unique"),
        ((X, Node("a b", o.Identity(), (Edge("x"),))), ("x",), "is a Python identifier"),
        ((X, Node("a", o.Identity(), (Edge("b"),))), ("a",), "edges come from earlier nodes"),
        ((Node("a", o.Identity(), (Edge("x"),)), X), ("a",), "edges come from earlier nodes"),
        ((X, Node("a", o.Add(), (Edge("x", delay=2),))), ("a",), "delay is 0 or 1"),
        ((X, Node("a", o.Add(), (Edge("x"), Edge("x")))), ("a",), "rising slots"),
        ((X, Node("a", o.Add(), (Edge("x", slot=1), Edge("x")))), ("a",), "rising slots"),
        ((X,), (), "outputs are names of nodes"),
        ((X,), ("y",), "outputs are names of nodes"),
    ],
)
def test_a_malformed_graph_is_refused(nodes, outputs, message):
    with pytest.raises(UsageError, match=message):
        Graph(nodes, outputs)


def test_a_delayed_edge_may_come_from_a_later_node_or_itself():
    graph = Graph((X, Node("a", o.Add(), (Edge("x"), Edge("a", slot=1, delay=1)))), ("a",))
    assert graph.is_recurrent
    assert graph.shapes["a"] == (4,)


def test_recurrence_inside_a_nested_graph_counts():
    b = Builder()
    y = b.add("sum", o.Add(), b.input("x"))
    b.extend("sum", delayed(y))
    outer = Builder()
    graph = outer.graph(outer.add("cell", b.graph(y), outer.input("x", (4,))))
    assert graph.is_recurrent


def test_equal_graphs_are_equal_and_hash_alike(random_graph, rng):
    graph = random_graph(rng(1))
    again = random_graph(rng(1))
    assert graph == again
    assert hash(graph) == hash(again)
    assert graph != random_graph(rng(2))


def test_a_pickled_graph_is_equal_and_has_forgotten_its_memo(random_graph, rng):
    graph = random_graph(rng(3))
    before = graph.params, graph.key
    small = len(pickle.dumps(Graph(graph.nodes, graph.outputs)))
    restored = pickle.loads(pickle.dumps(graph))
    assert len(pickle.dumps(graph)) <= small * 1.5
    assert restored == graph
    assert (restored.params, restored.key) == before


def open_graph():
    """A choice of width and of what follows; a skip that exists only with a linear layer."""
    b = Builder()
    x = b.input("x", (4,))
    first = b.add("first", OpenOperation(o.Linear, (("out", Pick("width")), ("bias", False))), x)
    is_linear = (("op", frozenset({"linear"})),)
    linear = under(b.add("linear", o.Linear(4), first, when=is_linear), "op", "linear")
    skip = under(x, "op", "linear")
    total = b.add("sum", o.Add(), alternatives(linear, under(first, "op", "none")), skip)
    return b.graph(total)


def test_resolving_closes_operations_and_drops_what_was_not_chosen():
    graph = open_graph()
    assert graph.is_open
    closed = graph.resolve({"width": 8, "op": "linear"})
    assert not closed.is_open
    assert closed.by_name["first"].op == o.Linear(8, bias=False)
    assert [e.source for e in closed.by_name["sum"].edges] == ["linear", "x"]
    assert closed.params == 4 * 8 + 8 * 4 + 4
    plain = graph.resolve({"width": 4, "op": "none"})
    assert "linear" not in plain.by_name
    assert [e.source for e in plain.by_name["sum"].edges] == ["first"]


def test_a_nested_graph_stays_shared_when_it_is_resolved():
    inner = Builder()
    made = OpenOperation(o.Linear, (("out", Pick("w")),))
    cell = inner.graph(inner.add("fc", made, inner.input("x")))
    b = Builder()
    y = b.add("two", cell, b.add("one", cell, b.input("x", (3,))))
    closed = b.graph(y).resolve({"w": 3})
    assert closed.by_name["one"].op is closed.by_name["two"].op


def test_two_edges_for_one_slot_are_noticed():
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    graph = b.graph(b.add("sum", o.Add(), alternatives(x, under(y, "op", "both"))))
    with pytest.raises(ShapeError, match="one edge a slot"):
        graph.resolve({"op": "both"})


def test_an_open_graph_has_no_shapes():
    with pytest.raises(ShapeError, match="closed graph"):
        _ = open_graph().shapes


def test_a_closed_graph_resolves_to_itself():
    graph = chain_of([("fc", o.Linear(3))])
    assert graph.resolve({}) is graph


def test_extend_gives_a_node_further_inputs():
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    total = b.add("sum", o.Add(), x)
    b.extend("sum", y, delayed(total))
    edges = b.graph(total).by_name["sum"].edges
    assert [(e.source, e.slot, e.delay) for e in edges] == [("x", 0, 0), ("y", 1, 0), ("sum", 2, 1)]


def test_only_a_node_that_was_added_is_extended():
    b = Builder()
    x = b.input("x", (4,))
    with pytest.raises(UsageError, match="only a node that was added is extended, got 'y'"):
        b.extend("y", x)
