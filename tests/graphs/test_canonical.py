"""The key: equal for the same function under other names and orders, different otherwise."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, permutations, product

import numpy as np
import pytest

from nasturtium.graphs import COMPLETE_UP_TO, Builder, Graph, chain_of
from nasturtium.graphs import operations as o
from nasturtium.graphs._canonical import canonical_key, operation_label


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


# --- completeness --------------------------------------------------------------------------------


def of_edges(n, edges, order=None):
    """Return an undirected graph as a network: a linear layer a vertex, a sum an edge."""
    b = Builder()
    x = b.input("x", (2,))
    layers = [b.add(f"fc_{i}", o.Linear(2), x) for i in range(n)]
    edges = [edges[i] for i in order] if order is not None else edges
    sums = [b.add(f"sum_{j}", o.Add(), layers[u], layers[v]) for j, (u, v) in enumerate(edges)]
    return b.graph(b.add("total", o.Add(), *layers, *sums))


def renamed(n, edges, rng):
    place = rng.permutation(n)
    return of_edges(n, [(place[u], place[v]) for u, v in edges], rng.permutation(len(edges)))


def undirected_form(n, edges):
    """Return the smallest edge list over all orders of the vertices."""
    return min(sorted(sorted((p[u], p[v])) for u, v in edges) for p in permutations(range(n)))


def test_every_undirected_graph_of_five_vertices_by_brute_force():
    pairs = list(combinations(range(5), 2))
    chosen = [[p for p, is_in in zip(pairs, bits, strict=True) if is_in] for bits in product([0, 1], repeat=10)]
    forms = {}
    for edges in chosen[::3]:
        forms.setdefault(of_edges(5, edges).key, set()).add(str(undirected_form(5, edges)))
    assert all(len(same) == 1 for same in forms.values())  # unlike graphs have unlike keys
    assert len({form for same in forms.values() for form in same}) == len(forms)  # like ones have one


def directed_form(labels, edges):
    """Return labels and edges in the smallest of all orders."""
    n = len(labels)
    return min(
        ([labels[p.index(i)] for i in range(n)], sorted((p[u], p[v]) for u, v in edges)) for p in permutations(range(n))
    )


@pytest.mark.parametrize("is_recurrent", [False, True])
def test_random_directed_graphs_by_brute_force(is_recurrent):
    rng = np.random.default_rng(int(is_recurrent))
    keys, forms = {}, {}
    for _ in range(250):
        n = int(rng.integers(2, 6))
        labels = rng.integers(2, size=n).tolist()
        pairs = [(u, v) for u in range(n) for v in range(n) if u < v or is_recurrent]
        edges = [pair for pair in pairs if rng.random() < 0.35]
        b = Builder()
        x = b.input("x", (2,))
        ops = [o.Add(), o.Multiply()]
        nodes = [b.add(f"n{v}", ops[labels[v]], x) for v in range(n)]
        for u, v in edges:
            wire = nodes[u] if u < v else tuple(replace(e, delay=1) for e in nodes[u])
            b.extend(f"n{v}", wire)
        b.add("end", o.Add(), *nodes)
        graph = b.graph((replace(nodes[0][0], source="end"),))
        kinds = [(u, v, u < v) for u, v in edges]
        form = (n, str(directed_form(labels, edges)) if not is_recurrent else str(_delayed_form(labels, kinds)))
        # Written out with the input's edges, so that no node is contracted.
        key = canonical_key(graph)
        assert keys.setdefault(form, key) == key
        assert forms.setdefault(key, form) == form
    assert len(keys) > 40


def _delayed_form(labels, kinds):
    n = len(labels)
    return min(
        ([labels[p.index(i)] for i in range(n)], sorted((p[u], p[v], now) for u, v, now in kinds))
        for p in permutations(range(n))
    )


def cycles(*sizes):
    edges, first = [], 0
    for size in sizes:
        edges += [(first + i, first + (i + 1) % size) for i in range(size)]
        first += size
    return first, edges


CYCLES = [(3,) * 5, (5,) * 3, (3, 3, 3, 6), (4, 4, 4, 3), (15,), (5, 4, 6), (7, 8), (12, 3), (9, 3, 3), (6, 6, 3)]


def test_unions_of_cycles_are_told_apart_up_to_the_limit():
    rng = np.random.default_rng(0)
    keys = [{renamed(*cycles(*sizes), rng).key for _ in range(4)} for sizes in CYCLES]
    assert len(of_edges(*cycles(3, 12)).nodes) == COMPLETE_UP_TO
    assert [len(same) for same in keys] == [1] * len(CYCLES)
    assert len(set.union(*keys)) == len(CYCLES)


def test_beyond_the_limit_refinement_alone_decides():
    rng = np.random.default_rng(0)
    whole, halves, path = cycles(18), cycles(9, 9), (18, [(i, i + 1) for i in range(17)])
    assert len(of_edges(*whole).nodes) > COMPLETE_UP_TO
    assert renamed(*whole, rng).key == renamed(*halves, rng).key  # what refinement can't see
    assert renamed(*path, rng).key == of_edges(*path).key != of_edges(*whole).key


def prism(m):
    around = [(i, (i + 1) % m) for i in range(m)]
    return 2 * m, [*around, *((m + u, m + v) for u, v in around), *((i, m + i) for i in range(m))]


def ladder(m):
    return 2 * m, [*((i, (i + 1) % (2 * m)) for i in range(2 * m)), *((i, m + i) for i in range(m))]


def petersen():
    star = [(5 + i, 5 + (i + 2) % 5) for i in range(5)]
    return 10, [*((i, (i + 1) % 5) for i in range(5)), *((i, i + 5) for i in range(5)), *star]


def test_regular_graphs_are_told_apart():
    rng = np.random.default_rng(1)
    graphs = [prism(5), ladder(5), petersen(), prism(6), ladder(6)]
    keys = [{renamed(*graph, rng).key for _ in range(4)} for graph in graphs]
    assert [len(same) for same in keys] == [1] * len(graphs)
    assert len(set.union(*keys)) == len(graphs)


def test_symmetric_branches_of_several_nodes_take_few_refinements(monkeypatch):
    from nasturtium.graphs import _canonical

    counted = []
    refined = _canonical._Surroundings.refined
    monkeypatch.setattr(_canonical._Surroundings, "refined", lambda *args: counted.append(1) or refined(*args))
    b = Builder()
    x = b.input("x", (4, 8, 8))
    branches = [b.add(f"relu{i}", o.Activation(), b.add(f"conv{i}", o.Conv2d(4), x)) for i in range(12)]
    assert b.graph(b.add("sum", o.Add(), *branches)).key
    assert len(counted) < 150


# --- what belongs to the key ---------------------------------------------------------------------


def test_equal_weights_of_other_types_give_one_key():
    def weighted(weight):
        b = Builder()
        x = tuple(replace(e, weight=weight) for e in b.input("x", (4,)))
        return b.graph(b.add("fc", o.Linear(3), x))

    assert len({weighted(w).key for w in (2, 2.0, np.float64(2), np.int64(2), np.float32(2))}) == 1
    assert weighted(np.int64(2)) == weighted(2.0)
    assert type(weighted(2).by_name["fc"].edges[0].weight) is float


def test_the_first_output_by_name_or_without_is_one():
    inner = Builder()
    x = inner.input("x")
    cell = inner.graph(inner.add("fc", o.Linear(3), x), x)

    def reading(output, *, around):
        b = Builder()
        wire = tuple(replace(e, output=output) for e in b.add("cell", cell, b.input("x", (4,))))
        return b.graph(b.add("same", o.Identity(), wire) if around else wire)

    plain = reading(None, around=False)
    assert {reading(name, around=around).key for name in (None, "fc") for around in (True, False)} == {plain.key}
    assert reading("x", around=False).key != plain.key


class Marked:
    """Stands for a user's module."""


def test_modules_of_one_name_in_two_files_have_two_keys():
    other = type("Marked", (), {"__module__": "elsewhere", "__qualname__": Marked.__qualname__})
    again = type("Marked", (), {"__module__": Marked.__module__, "__qualname__": Marked.__qualname__})
    keys = [chain_of([("m", o.Foreign(cls, (("sizes", [8]),)))]).key for cls in (Marked, other, again)]
    assert keys[0] == keys[2] != keys[1]


def test_a_default_written_out_changes_no_key():
    assert operation_label(o.Conv2d(4)) == operation_label(o.Conv2d(4, 3, 1))
    assert "stride" not in operation_label(o.Conv2d(4))
