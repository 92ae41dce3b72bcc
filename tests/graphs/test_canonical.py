"""The key: equal for the same function under other names and orders, different otherwise."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from nasturtium.graphs import COMPLETE_UP_TO, Builder, Graph, chain_of
from nasturtium.graphs import operations as o


def disguised(graph, rng):
    """Return the graph with other names, another topological order and shuffled sums."""
    order, placed = [], set()
    waiting = list(graph.nodes)
    inputs = [node.name for node in graph.inputs]
    while waiting:
        ready = [
            n
            for n in waiting
            if all(e.delay or e.source in placed for e in n.edges)
            and (n.name not in inputs or set(inputs[: inputs.index(n.name)]) <= placed)
        ]
        node = ready[int(rng.integers(len(ready)))]
        waiting.remove(node)
        placed.add(node.name)
        order.append(node)
    names = {node.name: f"v{i}" for i, node in enumerate(order)}
    nodes = []
    for node in order:
        edges = [replace(e, source=names[e.source]) for e in node.edges]
        if not isinstance(node.op, Graph) and node.op.commutative:
            edges = [edges[i] for i in rng.permutation(len(edges))]
            edges = [replace(e, slot=i) for i, e in enumerate(edges)]
        nodes.append(replace(node, name=names[node.name], edges=tuple(edges)))
    return Graph(tuple(nodes), tuple(names[name] for name in graph.outputs))


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_names_and_order_do_not_matter(random_graph, rng, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    assert disguised(graph, rng(100 + seed)).key == graph.key


def test_different_graphs_have_different_keys(random_graph, rng):
    graphs = {random_graph(rng(seed)).simplified() for seed in range(150)}
    assert len({graph.key for graph in graphs}) > 0.9 * len(graphs)


def pair(first, second):
    b = Builder()
    x = b.input("x", (4,))
    return b.graph(b.add("joined", o.Concat(), b.add("a", first, x), b.add("b", second, x)))


def test_what_changes_the_function_changes_the_key():
    b = Builder()
    x = b.input("x", (4,))
    base = b.graph(b.add("fc", o.Linear(3), x))
    b = Builder()
    half = tuple(replace(e, weight=0.5) for e in b.input("x", (4,)))
    weighted = b.graph(b.add("fc", o.Linear(3), half))
    assert len({base.key, weighted.key, chain_of([("fc", o.Linear(3))]).key}) == 3
    assert pair(o.Linear(2), o.Linear(3)).key != pair(o.Linear(3), o.Linear(2)).key
    assert pair(o.Linear(2), o.Linear(2)).key != pair(o.Linear(3), o.Linear(3)).key


def rings(*sizes):
    """Return a sum of sums; each of these reads two neighbors of a ring of linear layers."""
    b = Builder()
    x = b.input("x", (2,))
    sums = []
    for ring, size in enumerate(sizes):
        layers = [b.add(f"fc_{ring}_{i}", o.Linear(2), x) for i in range(size)]
        for i in range(size):
            sums.append(b.add(f"sum_{ring}_{i}", o.Add(), layers[i], layers[(i + 1) % size]))
    return b.graph(b.add("total", o.Add(), *sums))


def test_graphs_that_refinement_alone_cannot_tell_apart():
    assert rings(3, 3).key != rings(6).key
    assert rings(3, 4).key == rings(4, 3).key


def test_the_key_is_the_same_in_every_process():
    code = (
        "from nasturtium.graphs import Builder, operations as o\n"
        "b = Builder(); x = b.input('x', (3, 8, 8)); x = b.add('c', o.Conv(4), x)\n"
        "print(b.graph(b.add('s', o.Add(), x, x)).key)"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1


def test_a_large_symmetric_graph_takes_no_exponential_time():
    b = Builder()
    x = b.input("x", (4,))
    branches = [b.add(f"fc{i}", o.Linear(4), x) for i in range(COMPLETE_UP_TO + 20)]
    assert b.graph(b.add("sum", o.Add(), *branches)).key
