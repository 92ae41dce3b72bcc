"""Weisfeiler-Lehman features: the kernel values of two cells, and what features forget."""

from math import sqrt

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, OpenOperation, Pick, chain_of, weisfeiler_lehman
from nasturtium.graphs import operations as o
from nasturtium.testing._graphs import renamed, shuffled

EDGES = [(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7)]
"""A NAS-Bench-201 cell with operations as nodes: input, the six edges in the order of the text, output."""


def cell(*operations):
    """Return a cell of six operations; any that takes several inputs will do for a label."""
    b = Builder()
    wires = [b.input("x", (4, 4, 4))]
    for node, op in enumerate([*operations, o.Concat()], start=1):
        wires.append(b.add(f"n{node}", op, *(wires[u] for u, v in EDGES if v == node)))
    return b.graph(wires[-1])


@pytest.mark.parametrize(
    ("iterations", "values", "kernel"),
    [
        (0, (38, 28, 32), 0.981023),
        (1, (54, 42, 45), 0.944911),
        (2, (70, 56, 58), 0.926371),
        (3, (86, 70, 71), 0.915082),
    ],
)
def test_kernel_values_of_two_cells(iterations, values, kernel):
    """NAS-BOWL's kernel: all operations alike, against the one on 0->2 different."""
    a = weisfeiler_lehman(cell(*[o.Add()] * 6), iterations)
    b = weisfeiler_lehman(cell(o.Add(), o.Multiply(), *[o.Add()] * 4), iterations)
    dots = tuple(sum(n * y[f] for f, n in x.items()) for x, y in ((a, a), (b, b), (a, b)))
    assert dots == values
    assert dots[2] / sqrt(dots[0] * dots[1]) == pytest.approx(kernel, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_names_and_order_do_not_matter(random_graph, seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, is_recurrent=bool(seed % 2))
    assert weisfeiler_lehman(shuffled(renamed(graph, "other"), rng)) == weisfeiler_lehman(graph)


@pytest.mark.parametrize("is_recurrent", [False, True])
def test_random_graphs_are_told_apart(random_graph, is_recurrent):
    graphs = [random_graph(np.random.default_rng(seed), is_recurrent=is_recurrent).simplified() for seed in range(80)]
    kinds = {graph.key for graph in graphs}
    assert len({str(sorted(weisfeiler_lehman(graph, 3).items())) for graph in graphs}) > 0.9 * len(kinds)


def test_wrong_arguments_are_refused():
    with pytest.raises(UsageError, match="iterations=-1"):
        weisfeiler_lehman(chain_of([("fc", o.Linear(3))]), -1)
    with pytest.raises(UsageError, match="closed graph"):
        weisfeiler_lehman(chain_of([("fc", OpenOperation(o.Linear, (("out", Pick("width")),)))]))
