"""Motifs of motifs, and the space of cells as the case of three levels."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import chain_of
from nasturtium.spaces import Architecture, Hierarchical
from nasturtium.testing import Shapes, check_space, check_sweep

TASK = Shapes((3, 16, 16), 10)


def edges(level, motif, **labels):
    """Return decisions; ``e13="conv_1"`` is the edge from node 1 to node 3."""
    return {f"{level}.{motif}.{name[2]}.{name[1]}": label for name, label in labels.items()}


def test_sizes_of_the_paper():
    # Liu et al. 2018: 7 labels on 6 edges of 6 motifs and on 10 edges of one; the flat control has 55 edges.
    assert Hierarchical().size == 7 ** (6 * 6) * 7**10
    assert f"{float(Hierarchical().size):.1e}" == "7.5e+38"
    assert f"{float(Hierarchical(motifs=(1,), nodes=(11,)).size):.1e}" == "3.0e+46"
    assert Hierarchical(motifs=(1,), nodes=(4,)).size == 117_649


def test_a_tiny_space_is_counted_by_walking_through_it():
    # methods B7, check (a): 3^6 for two motifs of three nodes, 3^3 for the top one.
    space = Hierarchical(motifs=(2, 1), nodes=(3, 3), primitives=("conv_1", "identity"))
    assert space.size == len(set(space)) == 19_683


def test_a_motif_computes_what_its_matrix_says():
    labels = {"e12": "max_pool_3", "e13": "conv_1", "e23": "avg_pool_3"}
    space = Hierarchical(filters=4, stages=1, motifs=(1,), nodes=(3,)).on(TASK)
    cell = space.graph(Architecture(edges(2, 0, **labels))).by_name["cell_0_0"].op
    assert {n.name: [e.source for e in n.edges] for n in cell.nodes} == {
        "x": [],
        "max_pool_3_1_2": ["x"],
        "node_2": ["max_pool_3_1_2"],
        "conv_1_1_3": ["x"],
        "avg_pool_3_2_3": ["node_2"],
        "node_3": ["conv_1_1_3", "avg_pool_3_2_3"],
    }
    assert cell.outputs == ("node_3",)
    assert cell.infer((4, 8, 8)).outputs == ((8, 8, 8),)  # concatenated


def test_a_motif_below_the_cell_is_as_wide_as_its_source():
    space = Hierarchical(filters=4, stages=1, motifs=(1, 1), nodes=(3, 4)).on(TASK)
    wide = edges(2, 0, e12="conv_1", e13="conv_1", e23="identity")
    top = edges(3, 0, e12="motif_0", e13="motif_0", e23="motif_0", e14="none", e24="none", e34="motif_0")
    cell = space.graph(Architecture({**wide, **top})).by_name["cell_0_0"].op
    widths = {
        name: shape[0] for name, shape in cell.infer((4, 8, 8)).shapes.items() if "_3_4" in name or "node" in name
    }
    assert widths == {"node_2": 4, "node_3": 8, "motif_0_3_4": 8, "node_4": 8}


def test_a_node_that_nothing_reaches_is_the_source():
    space = Hierarchical(filters=4, stages=1, motifs=(1,), nodes=(3,)).on(TASK)
    empty = space.graph(Architecture(edges(2, 0, e12="none", e13="none", e23="none")))
    passed = space.graph(Architecture(edges(2, 0, e12="none", e13="identity", e23="none")))
    assert empty.key == passed.key
    through = space.graph(Architecture(edges(2, 0, e12="none", e13="none", e23="conv_1")))
    direct = space.graph(Architecture(edges(2, 0, e12="none", e13="conv_1", e23="none")))
    assert through.key == direct.key


def test_the_trivial_genotype_is_the_identity_up_to_1x1_convolutions():
    space = Hierarchical().on(TASK)
    a = space.trivial()
    assert a in space
    cell = space.graph(a).simplified().by_name["cell_0_0"].op
    assert len(cell.nodes) == 1 + 4  # a chain of four motifs
    for node in cell.nodes[1:]:
        assert [n.name for n in node.op.nodes] == ["x", "narrow"]
    added = Hierarchical(merge="add").on(TASK)
    cell = added.graph(added.trivial()).by_name["cell_0_0"].op
    assert [n.name for n in cell.by_name["motif_0_1_2"].op.simplified().nodes] == ["x"]


def test_the_numbers_of_motifs_do_not_matter_to_the_key():
    space = Hierarchical(filters=4, stages=1, motifs=(3, 1), nodes=(3, 4)).on(TASK)
    order = {0: 2, 1: 0, 2: 1}
    for seed in range(5):
        a = space.sample(np.random.default_rng(seed))
        moved = {}
        for path, label in a.items():
            level, motif, *edge = path.split(".")
            if level == "2":
                moved[".".join([level, str(order[int(motif)]), *edge])] = label
            else:
                moved[path] = label if label == "none" else f"motif_{order[int(label[-1])]}"
        assert space.graph(Architecture(moved)).key == space.graph(a).key


def test_the_space_of_cells_is_the_case_of_three_levels():
    cells = Hierarchical(filters=4, stages=1, motifs=(1,), nodes=(4,), merge="add").on(TASK)
    three = Hierarchical(filters=4, stages=1, motifs=(1, 1), nodes=(4, 4), merge="add").on(TASK)
    hard_coded = edges(3, 0, e12="motif_0", e13="none", e23="motif_0", e14="none", e24="none", e34="motif_0")
    assert cells.size == three.size / 2 ** len(hard_coded)
    for seed in range(20):
        a = cells.sample(np.random.default_rng(seed))
        cell = cells.graph(a).by_name["cell_0_0"].op
        stack = three.graph(Architecture({**a, **hard_coded})).by_name["cell_0_0"].op
        assert stack.key == chain_of([("first", cell), ("second", cell), ("third", cell)]).key


def test_cells_and_filters_transfer():
    a = Hierarchical().sample(np.random.default_rng(0))
    larger = Hierarchical(cells=2, filters=64).on(TASK)
    graph = larger.graph(a)
    assert [graph.shapes[f"behind_{i}_1"] for i in range(3)] == [(128, 8, 8), (256, 4, 4), (512, 2, 2)]
    assert graph.params > 4 * Hierarchical().on(TASK).graph(a).params


def test_any_number_of_levels_obeys_the_laws():
    space = Hierarchical(filters=2, stages=1, motifs=(2, 2, 1), nodes=(2, 3, 3), primitives=("conv_1", "avg_pool_3"))
    check_space(space.on(Shapes()))
    check_sweep(space.on(Shapes()), 5, n_exports=2, n_chains=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cells": 0}, "are at least 1"),
        ({"motifs": (6, 2)}, "the last one has 1 motif"),
        ({"nodes": (4,)}, "give as many of each"),
        ({"nodes": (1, 4)}, "of at least 2 nodes"),
        ({"primitives": ("conv_2",)}, "unknown name 'conv_2' in hierarchical; did you mean 'conv_1'"),
        ({"merge": "sum"}, "unknown name 'sum'"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Hierarchical(**arguments)
