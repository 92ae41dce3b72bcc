"""Simplification: fewer nodes, same function (compared with torch in ``tests/networks``)."""

from dataclasses import replace

import pytest

from nasturtium.graphs import Builder, chain_of, delayed
from nasturtium.graphs import operations as o


def names(graph):
    return [node.name for node in graph.nodes]


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_it_is_idempotent_and_keeps_shapes(random_graph, rng, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    once = graph.simplified()
    assert once.simplified() == once
    assert once.infer().outputs == graph.infer().outputs
    assert once.params <= graph.params
    assert once.key == graph.key


def test_dead_parts_go_but_inputs_stay():
    b = Builder()
    x, unread = b.input("x", (4,)), b.input("unread", (4,))
    b.add("dead", o.Linear(8), b.add("dead_too", o.Linear(3), unread))
    graph = b.graph(b.add("fc", o.Linear(2), x)).simplified()
    assert names(graph) == ["x", "unread", "fc"]


def test_identities_and_sums_of_one_are_contracted():
    b = Builder()
    x = b.add("same", o.Identity(), b.input("x", (4,)))
    x = b.add("one", o.Add(), x)
    x = b.add("joined", o.Concat(), x)
    graph = b.graph(b.add("fc", o.Linear(2), x), b.add("end", o.Identity(), x)).simplified()
    assert names(graph) == ["x", "fc"]
    assert graph.outputs == ("fc", "x")


def test_a_weighted_or_delayed_identity_does_something():
    b = Builder()
    x = b.input("x", (4,))
    half = b.add("half", o.Identity(), tuple(replace(e, weight=0.5) for e in x))
    late = b.add("late", o.Identity(), delayed(x))
    assert names(b.graph(half, late).simplified()) == ["x", "half", "late"]


def test_sums_are_sorted_and_other_inputs_are_not():
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    graph = b.graph(b.add("sum", o.Add(), y, x), b.add("cat", o.Concat(), y, x)).simplified()
    assert [e.source for e in graph.by_name["sum"].edges] == ["x", "y"]
    assert [e.source for e in graph.by_name["cat"].edges] == ["y", "x"]


def test_edges_follow_an_output_whose_name_changes():
    inner = Builder()
    x = inner.input("x")
    fc = inner.add("fc", o.Linear(3), x)
    cell = inner.graph(x, inner.add("end", o.Identity(), fc))
    b = Builder()
    wire = tuple(replace(e, output="end") for e in b.add("cell", cell, b.input("x", (4,))))
    graph = b.graph(b.add("last", o.Linear(2), wire))
    assert graph.simplified().by_name["last"].edges[0].output == "fc"
    assert graph.simplified().params == graph.params


def test_nested_graphs_stay_shared():
    cell = chain_of([("same", o.Identity()), ("fc", o.Linear(4))])
    b = Builder()
    y = b.add("two", cell, b.add("one", cell, b.input("x", (4,))))
    graph = b.graph(y).simplified()
    assert graph.by_name["one"].op is graph.by_name["two"].op
    assert names(graph.by_name["one"].op) == ["x", "fc"]
