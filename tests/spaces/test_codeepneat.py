"""The space of CoDeepNEAT (Miikkulainen et al. 2017): what an assembly is."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import Graph
from nasturtium.graphs import operations as o
from nasturtium.networks import build
from nasturtium.spaces import Chromosome, CoDeepNEAT
from nasturtium.testing import Shapes

SPACE = CoDeepNEAT().on(Shapes((3, 28, 28)))
EDGES = (("a", "b"), ("a", "c"), ("b", "out"), ("c", "out"), ("x", "a"))


def module(filters, *, pool=False):
    return Chromosome((("node", (filters, 3, 0.0, pool)),), (("node", "out"), ("x", "node")), ("sum",))


def plan(species, merge="concat"):
    nodes = tuple((name, (number,)) for name, number in zip("abc", species, strict=True))
    return Chromosome(nodes, EDGES, (merge, 0.01, 0.9))


def test_nodes_of_one_species_have_the_same_module_each_with_its_own_weights():
    architecture = SPACE.assemble(plan((7, 4, 7)), {4: module(8, pool=True), 7: module(16)})
    graph = SPACE.graph(architecture)
    assert graph.by_name["a"].op == graph.by_name["c"].op
    assert isinstance(graph.by_name["a"].op, Graph)
    assert architecture["blueprint"][0] == (("a", (0,)), ("b", (1,)), ("c", (0,)))  # numbered anew
    assert len(architecture["modules"]) == 2
    assert SPACE.training(architecture) == {"learning_rate": 0.01, "momentum": 0.9}
    assert graph.shapes["merge_out"] == (8 + 16, 14, 14)  # the larger image is pooled down
    convolutions = 16 * 3 * 9 + 8 * 16 * 9 + 16 * 16 * 9
    assert graph.params == convolutions + 2 * (16 + 8 + 16) + 24 * 10 + 10
    build(graph)


def test_modules_merge_by_sum_or_by_concatenation():
    modules = {0: module(8), 1: module(16)}
    graph = SPACE.graph(SPACE.assemble(plan((0, 1, 0), "sum"), modules))
    assert graph.by_name["merge_out"].op == o.PooledSum()
    assert graph.shapes["merge_out"] == (16, 28, 28)


def test_unused_modules_are_no_part_of_an_assembly():
    modules = {0: module(8), 1: module(16), 2: module(32)}
    assert SPACE.assemble(plan((0, 1, 0)), modules) == SPACE.assemble(plan((0, 1, 0)), {0: module(8), 1: module(16)})


def test_a_thousand_assemblies_are_valid_networks():
    rng = np.random.default_rng(0)
    space = CoDeepNEAT(filters=(4, 16), steps=0).on(Shapes((1, 7, 10)))
    depths = set()
    for _ in range(50):
        architecture = space.sample(rng)
        for _ in range(20):
            architecture = space.mutate(architecture, rng)
            graph = space.graph(architecture)
            assert graph.infer().outputs == ((10,),)
            depths.add(graph.depth)
    assert max(depths) > 8


def test_a_mutation_changes_the_blueprint_or_one_module():
    rng = np.random.default_rng(0)
    a = SPACE.assemble(plan((0, 1, 0)), {0: module(8), 1: module(16)})
    n_new = 0
    for _ in range(200):
        child = SPACE.mutate(a, rng)
        same = sum(m in child["modules"] for m in a["modules"])
        assert child["blueprint"] != a["blueprint"] or same == 1
        n_new += len(child["modules"]) > 2
    assert n_new > 20  # a node points to a module that is new


@pytest.mark.parametrize(
    "arguments",
    [{"filters": (0, 8)}, {"filters": (8, 4)}, {"momentum": (0.5, 1.0)}, {"kernels": ()}, {"dropout": 1.0}],
)
def test_impossible_ranges_are_refused(arguments):
    with pytest.raises(UsageError, match=r"ranges are|there is a kernel"):
        CoDeepNEAT(**arguments)
