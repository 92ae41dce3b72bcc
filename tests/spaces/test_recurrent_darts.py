"""The recurrent cells of DARTS and ENAS."""

import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import RecurrentDARTS
from nasturtium.testing import Shapes, check_sweep

DARTS_V1 = [("relu", 0), ("relu", 1), ("tanh", 2), ("relu", 3), ("relu", 4), ("identity", 1), ("relu", 5), ("relu", 1)]
DARTS_V2 = [
    ("sigmoid", 0), ("relu", 1), ("relu", 1), ("identity", 1), ("tanh", 2), ("sigmoid", 5), ("tanh", 3), ("relu", 5),
]  # fmt: skip
ENAS = [
    ("tanh", 0), ("tanh", 1), ("relu", 1), ("tanh", 3), ("tanh", 3), ("relu", 3), ("relu", 4), ("relu", 7),
    ("relu", 8), ("relu", 8), ("relu", 8),
]  # fmt: skip
PTB = Shapes((), 10_000)


def test_sizes_of_the_papers_cells():
    assert RecurrentDARTS().size == 2_642_411_520  # 4**8 * 8!
    assert f"{RecurrentDARTS(nodes=12).size:.1g}" == "8e+15"  # ENAS: 4**12 * 12!


@pytest.mark.parametrize("genes", [DARTS_V1, DARTS_V2])
def test_parameters_of_darts_on_penn_treebank(genes):
    # The authors' network of 850 features has 23 M parameters, its head the embedding's transpose; ours is its own.
    space = RecurrentDARTS(hidden=850).on(PTB)
    graph = space.graph(space.genotype(genes))
    assert graph.params - 10_000 * 850 == 1_700 * 1_700 + 8 * 850 * 1_700 + 10_000 * 850 + 10_000 == 22_960_000


def test_the_step_of_darts():
    space = RecurrentDARTS(nodes=2, hidden=4).on(Shapes((), 6))
    network = build(space.graph(space.genotype([("relu", 0), ("identity", 0)]))).double()
    cell = network.cell_0
    tokens = torch.randint(6, (2, 5), generator=torch.Generator().manual_seed(0))
    h = torch.zeros(2, 4, dtype=torch.double)
    expected = []
    for t in range(5):
        c0, h0 = cell.node_0.linear(torch.cat([network.embedding(tokens[:, t]), h], 1)).chunk(2, 1)
        s0 = h + torch.sigmoid(c0) * (torch.tanh(h0) - h)
        c1, h1 = cell.node_1.linear(s0).chunk(2, 1)
        s1 = s0 + torch.sigmoid(c1) * (torch.relu(h1) - s0)
        c2, h2 = cell.node_2.linear(s0).chunk(2, 1)
        s2 = s0 + torch.sigmoid(c2) * (h2 - s0)
        h = (s1 + s2) / 2
        expected.append(network.head(h))
    assert torch.allclose(network(tokens), torch.stack(expected, 1), atol=1e-12)


def test_the_output_of_enas_is_the_mean_of_its_loose_nodes():
    space = RecurrentDARTS(nodes=11, hidden=4, output="loose").on(PTB)
    cell = space.graph(space.genotype(ENAS)).by_name["cell_0"].op
    loose = {int(edge.source.removeprefix("node_")) for edge in cell.by_name["hidden"].edges}
    assert loose == {2, 5, 6, 9, 10, 11}


@pytest.mark.parametrize("output", ["all", "loose"])
def test_token_networks_obey_the_laws(output):
    check_sweep(RecurrentDARTS(hidden=3, output=output).on(Shapes((), 12)), 8, n_exports=3, n_chains=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nodes": 0}, "a cell has at least one node, got nodes=0"),
        ({"layers": 0}, "hidden and layers are at least 1"),
        ({"output": "last"}, "an output is the mean of 'all' or of the 'loose' nodes, got 'last'"),
        ({"activations": ("relu", "swish")}, "unknown activation 'swish'"),
        ({"activations": ()}, "a node has activations to choose from, got none"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        RecurrentDARTS(**arguments)


def test_a_genotype_has_a_pair_for_each_node():
    with pytest.raises(UsageError, match="a cell of 8 nodes has as many pairs, got 11"):
        RecurrentDARTS().genotype(ENAS)
    for genes in ([("relu",)] * 8, 8, ["relu"] * 8, [("relu", "first")] * 8):
        with pytest.raises(UsageError, match=r"a node has an activation and an earlier node, got .*; give pairs"):
            RecurrentDARTS().genotype(genes)
