"""Cartesian genetic programs of Suganuma et al. 2017, with the constants of the authors' code."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import operations as o
from nasturtium.spaces import CGP, Architecture
from nasturtium.testing import Shapes

CONV_SET = CGP()
TASK = Shapes((3, 32, 32))


def program(space, output, **nodes):
    """Return an architecture in which only the named nodes (``n3=(function, left, right)``) are set."""
    filler = space.sample(np.random.default_rng(0))
    genes = dict(filler)
    for name, values in nodes.items():
        genes.update(zip((f"{name[1:]}.{gene}" for gene in ("function", "left", "right")), values, strict=True))
    return Architecture({**genes, "output": output})


ROW = CGP(rows=1, depth=6, levels_back=6, min_active=1)


def shapes(task=TASK, **nodes):
    graph = ROW.on(task).graph(program(ROW, max(int(name[1:]) for name in nodes), **nodes))
    return {name: shape for name, shape in graph.shapes.items() if name.startswith("node")}


def test_the_function_sets_of_the_paper():
    blocks = [f"{f}_{k}" for f in (32, 64, 128) for k in (3, 5)]
    rest = ["max_pool", "avg_pool", "concat", "sum"]
    assert list(CONV_SET.functions) == rest + [f"conv_{b}" for b in blocks]
    assert list(CGP(blocks=("residual",)).functions) == rest + [f"residual_{b}" for b in blocks]
    assert CONV_SET.functions["conv_64_5"] == o.Conv(64, 5)


def test_a_genotype_has_three_genes_a_node_and_one_for_the_output():
    a = CONV_SET.sample(np.random.default_rng(0))
    assert len(a) == 5 * 30 * 3 + 1
    assert list(a)[-4:] == ["150.function", "150.left", "150.right", "output"]


def test_a_node_reads_ten_columns_back_or_the_image():
    options = {
        decision.path: decision.values for decision, _ in CONV_SET.trace(CONV_SET.sample(np.random.default_rng(0)))
    }
    assert options["1.left"] == (0,)
    assert options["46.left"] == tuple(range(46))  # column 9, counted from 0: the last that sees the image
    assert options["51.right"] == tuple(range(1, 51))
    assert options["150.left"] == tuple(range(96, 146))
    assert options["output"] == tuple(range(101, 151))


@pytest.mark.parametrize("seed", range(3))
def test_active_nodes_stay_within_the_limits(seed):
    rng = np.random.default_rng(seed)
    a = CONV_SET.sample(rng)
    for _ in range(20):
        assert 10 <= len(CONV_SET.active(a)) <= 50
        a = CONV_SET.mutate(a, rng)
        assert a in CONV_SET


def test_an_output_outside_of_the_limits_is_no_member():
    space = CGP(rows=1, depth=6, levels_back=6, min_active=3, max_active=4)
    conv = "conv_32_3"
    nodes = {f"n{n}": (conv, n - 1, 0) for n in range(1, 7)}
    assert [output for output in range(7) if program(space, output, **nodes) in space] == [3, 4]


def test_where_no_output_is_within_the_limits_the_nearest_are_legal():
    space = CGP(rows=1, depth=3, levels_back=3, min_active=10)
    nodes = {"n1": ("conv_32_3", 0, 0), "n2": ("conv_32_3", 1, 0), "n3": ("conv_32_3", 1, 0)}
    assert [output for output in range(4) if program(space, output, **nodes) in space] == [2, 3]


def test_the_graph_holds_the_active_nodes_alone():
    a = program(ROW, 4, n1=("conv_32_3", 0, 0), n2=("sum", 1, 0), n3=("max_pool", 0, 2), n4=("conv_64_3", 2, 3))
    names = [node.name for node in ROW.on(TASK).graph(a).nodes]
    assert names == ["image", "node_1", "node_2", "node_4", "flatten", "head"]
    assert ROW.active(a) == (1, 2, 4)


@pytest.mark.parametrize("seed", range(3))
def test_inactive_genes_drift_without_effect(seed):
    """Neutral drift: neither inactive nodes nor the second source of a one-input node count."""
    space = CGP.small().on(Shapes())
    rng = np.random.default_rng(seed)
    a = space.sample(rng)
    active = space.active(a)
    key, n_tried = space.graph(a).key, 0
    for _ in range(200):
        decision, value = space.trace(a)[int(rng.integers(len(a) - 1))]
        number, gene = decision.path.split(".")
        is_unused = gene == "right" and a[f"{number}.function"] not in ("sum", "concat")
        if int(number) in active and not is_unused:
            continue
        child = a.changed(decision.path, decision.other(value, rng.random(), {}))
        if child in space:  # its other outputs may have come nearer to the limits
            assert space.graph(child).key == key
            a, n_tried = child, n_tried + 1
    assert n_tried > 20
    assert space.active(a) == active


def test_a_changed_active_type_gene_changes_the_network():
    a = program(ROW, 1, n1=("conv_32_3", 0, 0))
    other = a.changed("1.function", "conv_32_5")
    space = ROW.on(TASK)
    assert space.graph(a).key != space.graph(other).key


def test_pools_halve_down_to_one_pixel():
    nodes = {f"n{n}": (("max_pool", "avg_pool")[n % 2], n - 1, 0) for n in range(1, 7)}
    sides = [shape[1:] for shape in shapes(Shapes((3, 9, 9)), **nodes).values()]
    assert sides == [(4, 4), (2, 2), (1, 1), (1, 1), (1, 1), (1, 1)]


def test_a_sum_takes_the_smaller_image_and_the_greater_number_of_channels():
    found = shapes(n1=("conv_32_3", 0, 0), n2=("conv_64_3", 0, 0), n3=("max_pool", 1, 0), n4=("sum", 2, 3))
    assert found["node_4"] == (64, 16, 16)


def test_a_concatenation_takes_the_smaller_image_and_all_channels():
    found = shapes(n1=("conv_32_3", 0, 0), n2=("avg_pool", 1, 0), n3=("avg_pool", 2, 0), n4=("concat", 1, 3))
    assert found["node_4"] == (64, 8, 8)


def test_parameters_by_hand():
    # conv 3 x 3 from 3 to 32 channels, its normalization, and 32 * 32 * 32 inputs of the head
    a = program(ROW, 1, n1=("conv_32_3", 0, 0))
    assert ROW.on(TASK).graph(a).params == 3 * 32 * 9 + 2 * 32 + (32**3 * 10 + 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "are at least 1"),
        ({"blocks": ()}, "blocks are 'conv' and 'residual'"),
        ({"blocks": ("dense",)}, "name one or both"),
        ({"filters": ()}, "name at least one of each"),
        ({"min_active": 9, "max_active": 8}, "swap them"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        CGP(**arguments)
