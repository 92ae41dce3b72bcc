"""Cells connected freely, the cell a tree (Cai et al. 2018b)."""

import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import Dense
from nasturtium.testing import Shapes


def member(space, *, is_dense, **tree):
    """Return the architecture with all connections or none, and the tree's values by path."""

    def choose(decision, prefix):
        del prefix
        return tree.get(decision.path, is_dense if decision.values == (False, True) else decision.values[0])

    return space.construct(choose)


def test_densenet_bc_100_12_is_a_member():
    # Huang et al. 2017, table 2: 0.8 M parameters; 769,162 with the widths of the paper.
    space = Dense(stages=3, layers=16, filters=12).on(Shapes((3, 32, 32), 10))
    assert space.graph(member(space, is_dense=True)).params == 769_162


def test_size():
    n_trees = 1 + 7**2 + 7**3 + 7**2
    n_deep = 1 + (7 * n_trees) ** 2 + (7 * n_trees) ** 3 + (7 * n_trees) ** 2
    assert Dense(stages=2, layers=3, depth=1).size == n_trees * 2 ** (2 * 6)
    assert Dense(stages=1, layers=1, depth=2).size == n_deep * 2


def test_a_chain_is_a_member():
    space = Dense(stages=1, layers=3, filters=4, depth=0).on(Shapes((3, 8, 8)))
    shapes = space.graph(member(space, is_dense=False)).shapes
    assert [shapes[f"inputs_0_{i}"][0] for i in (0, 1, 2, "end")] == [8, 4, 4, 4]
    shapes = space.graph(member(space, is_dense=True)).shapes
    assert [shapes[f"inputs_0_{i}"][0] for i in (0, 1, 2, "end")] == [8, 12, 16, 20]


@pytest.mark.parametrize("merge", ["add_2", "add_3", "concat_2"])
def test_branches_without_operations_change_nothing(merge):
    """The mean of copies and the concatenation of all parts are the input (Cai et al., section 3.1)."""
    space = Dense(stages=1, layers=1, filters=5).on(Shapes((3, 8, 8)))
    image = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    outputs = []
    for root in ("leaf", merge):
        a = member(space, is_dense=False, **{"tree": root, f"tree.{merge}.0.node": "concat_2"})
        outputs.append(build(space.graph(a)).eval()(image))
    assert torch.allclose(*outputs, atol=1e-6)


def test_all_cells_share_one_tree():
    space = Dense(filters=4).on(Shapes())
    graph = space.graph(member(space, is_dense=False, tree="add_2"))
    trees = [node.op for node in graph.nodes if node.name.startswith("tree_")]
    assert len(trees) == 3 * 4
    assert all(tree is trees[0] for tree in trees)


@pytest.mark.parametrize("arguments", [{"stages": 0}, {"layers": 0}, {"depth": -1}, {"filters": 7, "depth": 3}])
def test_impossible_counts_are_refused(arguments):
    with pytest.raises(UsageError, match="stages and layers are at least 1, depth 0 and filters 2"):
        Dense(**arguments)
