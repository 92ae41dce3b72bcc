"""The tree cells of Zoph & Le 2017."""

import numpy as np
import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Architecture, Recurrent
from nasturtium.testing import Shapes, check_space, check_sweep

TOKENS = Shapes((), 12)


def tree(base, nodes, inject, output, entry):
    decisions = {}
    for i, (combine, activation) in enumerate([*nodes, inject]):
        path = f"node_{i}" if i < 2 * base - 1 else "inject"
        decisions |= {f"{path}.combine": combine, f"{path}.activation": activation}
    return Architecture({**decisions, "cell.output": output, "cell.input": entry})


def test_size_of_the_papers_cells():
    # Zoph & Le 2017, section 3.4: "approximately 6 x 10^16"; 8**15 node choices, 8 to inject, 15**2 places.
    assert Recurrent().size == 8**16 * 15**2
    assert f"{Recurrent().size:.3g}" == "6.33e+16"
    assert Recurrent(base=2).size == 36_864


def test_the_papers_example_of_base_2():
    # Figure 5: tokens "add tanh, mult relu, mult sigmoid, add relu, 1 0".
    a = tree(2, [("add", "tanh"), ("multiply", "relu"), ("multiply", "sigmoid")], ("add", "relu"), 1, 0)
    space = Recurrent(base=2, hidden=5).on(Shapes((), 7))
    network = build(space.graph(a)).double()
    weights = dict(network.cell_0.named_parameters())
    w1, w2, w3, w4 = (weights[f"{name}.weight"] for name in ("input_0", "recurrent_0", "input_1", "recurrent_1"))
    tokens = torch.randint(7, (3, 6), generator=torch.Generator().manual_seed(0))
    h = c = torch.zeros(3, 5, dtype=torch.double)
    expected = []
    for t in range(6):
        x = network.embedding(tokens[:, t])
        a0 = torch.tanh(x @ w1.T + h @ w2.T)
        product = (x @ w3.T) * (h @ w4.T)
        a1 = torch.relu(product)
        a0_new = torch.relu(a0 + c)
        h, c = torch.sigmoid(a0_new * a1), product
        expected.append(network.head(h))
    assert torch.allclose(network(tokens), torch.stack(expected, 1), atol=1e-12)


def test_inner_nodes_join_the_tree_pairwise():
    a = Recurrent(hidden=3).sample(np.random.default_rng(0))
    graph = Recurrent(hidden=3).on(TOKENS).graph(a)
    cell = graph.by_name["cell_0"].op
    read = {
        i: [int(edge.source.rpartition("_")[2]) for edge in cell.by_name[f"combined_{i}"].edges] for i in range(8, 15)
    }
    assert read == {8 + k: [2 * k, 2 * k + 1] for k in range(7)}


def test_parameters_and_flops():
    # Two matrices a leaf, embedding and head.
    n, tokens = 6, 12
    space = Recurrent(hidden=n, layers=2).on(TOKENS)
    graph = space.graph(space.sample(np.random.default_rng(0)))
    assert graph.params == 2 * 16 * n * n + tokens * n + tokens * n + tokens
    assert graph.flops == 2 * 16 * n * n + tokens * n


def test_mirrored_leaves_are_one_cell():
    steps = [("add", "tanh"), ("multiply", "relu"), ("add", "sigmoid")]
    mirrored = [steps[1], steps[0], steps[2]]
    space = Recurrent(base=2, hidden=4).on(TOKENS)
    a, b = tree(2, steps, ("add", "relu"), 1, 0), tree(2, mirrored, ("add", "relu"), 0, 1)
    other = tree(2, steps, ("add", "relu"), 0, 0)
    assert space.graph(a).key == space.graph(b).key != space.graph(other).key


def test_a_state_is_carried_from_one_piece_of_a_sequence_to_the_next():
    space = Recurrent(base=4, hidden=6, layers=2).on(TOKENS)
    network = build(space.graph(space.sample(np.random.default_rng(1))))
    tokens = torch.randint(12, (2, 9))
    state = network.initial_state(tokens)
    assert all(part.dtype == torch.float32 and not part.any() for part in state)
    (first,), state = network.advance((tokens[:, :4],), state)
    (second,), _ = network.advance((tokens[:, 4:],), state)
    assert torch.allclose(torch.cat([first, second], 1), network(tokens), atol=1e-6)


def test_dropout_stands_before_each_cell_and_the_head():
    graph = Recurrent(base=2, layers=2, dropout=0.5).on(TOKENS)
    nodes = [node.name for node in graph.graph(next(iter(graph))).nodes]
    assert nodes == ["token", "embedding", "dropout_0", "cell_0", "dropout_1", "cell_1", "dropout_2", "head"]


@pytest.mark.parametrize("space", [Recurrent.small(), Recurrent(hidden=3, layers=2)], ids=["small", "base 8"])
def test_token_networks_obey_the_laws(space):
    check_sweep(space.on(TOKENS), 8, n_exports=3, n_chains=1)


def test_smaller_spaces_obey_the_laws():
    check_space(Recurrent(base=3, hidden=2, combinations=("add",), activations=("tanh", "relu")).on(Shapes((5,), 3)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base": 1}, "a tree has at least two leaves, got base=1"),
        ({"hidden": 0}, "hidden and layers are at least 1, got 0 and 1"),
        ({"dropout": 1.0}, r"dropout is in \[0, 1\), got 1.0"),
        ({"combinations": ("max",)}, "combinations are 'add' and 'multiply', got"),
        ({"activations": ("tan",)}, "unknown activation 'tan'; did you mean 'tanh'"),
        ({"activations": ()}, "a node has activations to choose from, got none"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Recurrent(**arguments)
