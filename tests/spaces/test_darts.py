"""The DARTS space (Liu et al. 2019)."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import DARTS
from nasturtium.testing import Shapes

CIFAR10 = Shapes((3, 32, 32), 10)
NAMES = {
    "s3": "sep_conv_3x3",
    "s5": "sep_conv_5x5",
    "d3": "dil_conv_3x3",
    "m3": "max_pool_3x3",
    "a3": "avg_pool_3x3",
    "id": "skip_connect",
}


def genes(text):
    return [(NAMES[word[:-1]], int(word[-1])) for word in text.split()]


V1 = ("s31 s30 id0 s31 id0 s31 s30 id2", "m30 m31 id2 m30 m30 id2 id2 a30")
V2 = ("s30 s31 s30 s31 s31 id0 id0 d32", "m30 m31 id2 m31 m30 id2 id2 m31")
PC = ("s31 id0 s30 d31 s50 s31 a30 d31", "s51 m30 s51 s52 s30 s33 s31 s32")


def built(genotype, **arguments):
    space = DARTS(**arguments).on(CIFAR10)
    return space.graph(space.genotype(*map(genes, genotype)))


def test_size():
    # Two of the earlier nodes, seven operations an edge.
    assert DARTS().size == (1 * 3 * 6 * 10 * 7**8) ** 2 == 1_037_664_180**2


@pytest.mark.parametrize(
    ("genotype", "params"), [(V1, 3_169_414), (V2, 3_349_342), (PC, 3_634_678)], ids=["v1", "v2", "pc-darts"]
)
def test_parameters_of_published_cells(genotype, params):
    assert built(genotype, cells=20, filters=36).params == params


@pytest.mark.parametrize(("genotype", "macs"), [(V1, 500_987_520), (V2, 528_359_040)], ids=["v1", "v2"])
def test_multiply_accumulates_of_published_cells(genotype, macs):
    assert built(genotype, cells=20, filters=36).flops == macs


def test_parameters_are_quadratic_in_the_filters():
    counts = [built(V2, cells=20, filters=4 * n).params for n in range(1, 6)]
    assert np.diff(counts, 3).tolist() == [0, 0]


def test_a_mutation_of_the_inputs_keeps_the_other_edge():
    space = DARTS(nodes=2)
    a = space.genotype(genes("s30 s31 id0 d32"), genes("m30 m31 m30 m31"))
    children = [b for b in space.neighbors(a) if b["normal.3"] != a["normal.3"]]
    assert {b["normal.3"] for b in children} == {("0", "1"), ("1", "2")}
    assert {b.get("normal.3.0.op", "identity") for b in children} == {"identity"}
    assert {b.get("normal.3.2.op", "dil_conv_3") for b in children} == {"dil_conv_3"}


def test_each_edge_has_its_own_nodes_in_the_open_graph():
    # 14 edges of 7 operations: what a supernet of the whole space consists of.
    cell = DARTS().on(CIFAR10).graph().by_name["normal_0"].op
    assert sum(node.name.startswith("edge_") for node in cell.nodes) == 14 * 7


@pytest.mark.parametrize(
    ("normal", "message"),
    [
        ("s30 s31", "a cell of 2 blocks has 4 .* pairs, got 2"),
        ("s30 s30 s30 s31", r"'normal.2' is one of .* got \('0', '0'\)"),
        ("s30 s31 s30 s34", "'normal.3' is one of"),
    ],
)
def test_a_genotype_fits_the_space(normal, message):
    with pytest.raises(UsageError, match=message):
        DARTS(nodes=2).genotype(genes(normal), genes("m30 m31 m30 m31"))
