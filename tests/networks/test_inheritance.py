"""Inheritance: edits preserve the function in evaluation mode, and what is new learns.

The checks are those of Chen et al. 2016 in float64, after training has made the statistics of
normalization non-trivial.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nasturtium.graphs import Branch, Builder, Deepen, GrowKernel, Skip, SkipConcat, Widen, legal_edits
from nasturtium.graphs import operations as o
from nasturtium.networks import build, inherit, tensors


def start():
    b = Builder()
    x = b.add("conv_0", o.Conv(4), b.input("image", (2, 8, 8)))
    x = b.add("pool", o.MaxPool(3, 2), x)
    x = b.add("conv_1", o.Conv(4), x)
    x = b.add("conv_2", o.Conv(4, 5), x)
    x = b.add("global_pool", o.GlobalPool(), x)
    return b.graph(b.add("head", o.Linear(3), x))


def trained(network, steps=5, rate=0.1):
    """Return the network after a few steps on inputs that are not centered."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    network.train()
    for _ in range(steps):
        x = 1 + 2 * torch.randn(16, 2, 8, 8, generator=generator, dtype=torch.float64)
        y = torch.randint(3, (16,), generator=generator)
        optimizer.zero_grad()
        functional.cross_entropy(network(x.to(next(network.parameters()).dtype)), y).backward()
        optimizer.step()
    return network


def distance(first, second):
    x = torch.randn(64, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    first.eval()
    second.eval()
    with torch.no_grad():
        return (first(x) - second(x)).abs().max().item()


@pytest.fixture(scope="module")
def parent():
    return trained(build(start(), seed=2).double())


EDITS = [
    Deepen("conv_0", 3),
    Deepen("conv_1", 5),
    Widen("conv_1", 7),
    GrowKernel("conv_1", 7),
    Skip("conv_1", "conv_2"),
    SkipConcat("pool", "conv_1"),
    Branch("conv_1", "add"),
    Branch("conv_2", "concat"),
]


@pytest.mark.parametrize("edit", EDITS, ids=repr)
def test_an_edit_preserves_the_function(parent, edit):
    graph = start()
    child = inherit(edit.apply(graph), graph, [edit], tensors(parent))
    assert distance(child, parent) <= 1e-9
    assert distance(child, build(graph).double()) > 1e-2


@pytest.mark.parametrize("seed", range(5))
def test_twenty_random_edits_preserve_the_function(parent, seed):
    rng = np.random.default_rng(seed)
    graph, edits = start(), []
    for _ in range(20):
        by_kind = {}
        for edit in legal_edits(graph, widths=(4, 6, 8, 12)):
            by_kind.setdefault(type(edit), []).append(edit)
        kind = list(by_kind)[int(rng.integers(len(by_kind)))]
        edits.append(by_kind[kind][int(rng.integers(len(by_kind[kind])))])
        graph = edits[-1].apply(graph)
    child = inherit(graph, start(), edits, tensors(parent), seed=seed)
    assert child.graph == graph
    assert distance(child, parent) <= 1e-7


def test_edits_of_children_that_were_trained_in_between(parent):
    graph, network = start(), parent
    for edit in (Skip("conv_1", "conv_2"), Widen("conv_1", 8), Deepen("conv_2", 3)):
        edited = edit.apply(graph)
        child = inherit(edited, graph, [edit], tensors(network))
        assert distance(child, network) <= 1e-9
        graph, network = edited, trained(child, steps=2)


@pytest.mark.parametrize("edit", EDITS, ids=repr)
def test_what_is_new_learns(parent, edit):
    graph = start()
    child = inherit(edit.apply(graph), graph, [edit], tensors(parent))
    before = tensors(child)
    # Two steps: behind zero weights the gradient is zero until the first step has changed them.
    after = tensors(trained(child, steps=2))
    frozen = [name for name in before if np.array_equal(before[name], after[name])]
    assert frozen == []
    if isinstance(edit, Widen):
        new = after["conv_1.conv.weight"][4:] - before["conv_1.conv.weight"][4:]
        assert np.abs(new).reshape(len(new), -1).max(axis=1).min() > 0


def test_branches_that_are_added_part_while_learning(parent):
    """Copies with equal shares would have equal gradients forever (Chen et al. 2016, section 2.3)."""
    graph, edit = start(), Branch("conv_1", "add")
    child = inherit(edit.apply(graph), graph, [edit], tensors(parent))
    before = tensors(child)
    assert np.array_equal(before["conv_1.conv.weight"], before["conv_1_add_copy.conv.weight"])
    after = tensors(trained(child, steps=1))
    assert np.abs(after["conv_1.conv.weight"] - after["conv_1_add_copy.conv.weight"]).max() > 1e-6


def test_a_wider_layer_keeps_learning_like_its_parent(parent):
    """A child's loss stays near the parent's under the same steps: nothing explodes."""
    graph = start()
    for edit in EDITS:
        child = inherit(edit.apply(graph), graph, [edit], tensors(parent))
        assert distance(trained(child, steps=1, rate=0.01), parent) < 1


def test_a_parent_may_have_been_trained_without_its_dead_parts():
    b = Builder()
    x = b.add("conv", o.Conv(4), b.input("image", (2, 8, 8)))
    b.add("dead", o.Conv(4), x)
    graph = b.graph(b.add("head", o.Linear(3), b.add("pool", o.GlobalPool(), x)))
    parent = trained(build(graph.simplified()).double())
    edits = [Deepen("dead"), Deepen("conv")]
    child = edits[1].apply(edits[0].apply(graph))
    network = inherit(child.simplified(), graph, edits, tensors(parent))
    assert distance(network, parent) <= 1e-9


def test_without_edits_tensors_are_copied_by_name_and_shape(parent):
    b = Builder()
    x = b.add("conv_0", o.Conv(4), b.input("image", (2, 8, 8)))
    x = b.add("conv_1", o.Conv(5), x)
    x = b.add("global_pool", o.GlobalPool(), x)
    other = b.graph(b.add("head", o.Linear(3), x))
    child = tensors(inherit(other, start(), [], tensors(parent), seed=4))
    fresh = tensors(build(other, seed=4).double())
    given = tensors(parent)
    assert np.array_equal(child["conv_0.conv.weight"], given["conv_0.conv.weight"])
    assert np.array_equal(child["head.bias"], given["head.bias"])
    assert np.array_equal(child["conv_1.conv.weight"], fresh["conv_1.conv.weight"])
    assert np.array_equal(child["head.weight"], fresh["head.weight"])


def test_the_dtype_is_that_of_the_trained_tensors(parent):
    graph, single = start(), build(start())
    edit = EDITS[0]
    for network, dtype in ((parent, torch.float64), (single, torch.float32)):
        child = inherit(edit.apply(graph), graph, [edit], tensors(network))
        assert {p.dtype for p in child.parameters()} == {dtype}


def test_fresh_weights_follow_the_seed():
    graph, edit = start(), Widen("conv_1", 8)
    given = tensors(build(graph))
    one, same, other = (
        tensors(inherit(edit.apply(graph), graph, [edit], given, seed=s))["conv_1.conv.weight"] for s in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert np.array_equal(one[:4], other[:4])
    assert not np.array_equal(one[4:], other[4:])
