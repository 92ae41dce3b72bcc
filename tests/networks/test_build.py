"""Building: what torch counts is what the graph says, and equal seeds give equal weights."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import UsageError
from nasturtium.graphs import OPERATIONS, Builder, OpenOperation, Pick, chain_of
from nasturtium.graphs import operations as o
from nasturtium.networks import Cell, Formula, build, random_inputs, tensors


class Scaled(nn.Module):
    """A user's module: a linear layer on flattened input, times a constant."""

    def __init__(self, in_shape, width=3, factor=2.0):
        super().__init__()
        self.fc = nn.Linear(int(np.prod(in_shape)), width)
        self.factor = factor

    def forward(self, x):
        return self.factor * self.fc(x.flatten(1))


IMAGE, FEATURES = (4, 9, 8), (6,)
CASES = [
    (o.Conv2d(8, 3), (IMAGE,)),
    (o.Conv2d(8, 3, bias=True, stride=2), (IMAGE,)),
    (o.Conv2d(8, (1, 5), dilation=2, groups=2), (IMAGE,)),
    (o.Conv2d(None, 5, groups=0), (IMAGE,)),
    (o.Conv(8, 3, 2), (IMAGE,)),
    (o.Conv(8, (3, 1), preactivated=True), (IMAGE,)),
    (o.SepConv(8, 5, 2, repeats=2, preactivated=True), (IMAGE,)),
    (o.SepConv(8, 3, dilation=2), (IMAGE,)),
    (o.FactorizedConv(8, 7, 2), (IMAGE,)),
    (o.Reduce(8), (IMAGE,)),
    (o.FactorizedReduction(7), (IMAGE,)),
    (o.Shift(), (IMAGE,)),
    (o.Part(1, 3), (IMAGE,)),
    (o.Residual(), (IMAGE,)),
    (o.Residual(8, 5, 2), (IMAGE,)),
    (o.MaxPool(5, 2), (IMAGE,)),
    (o.MaxPool(2, 2), (IMAGE,)),
    (o.AvgPool(3, 1), (IMAGE,)),
    (o.AvgPool(2, 2), (IMAGE,)),
    (o.GlobalPool(), (IMAGE,)),
    (o.Flatten(), (IMAGE,)),
    (o.Linear(5), (FEATURES,)),
    (o.Linear(5, bias=False), (FEATURES,)),
    (o.BatchNorm(), (IMAGE,)),
    (o.BatchNorm(), (FEATURES,)),
    (o.InstanceNorm(), (IMAGE,)),
    (o.LayerNorm(), (IMAGE,)),
    (o.LayerNorm(), (FEATURES,)),
    (o.Scale(), (IMAGE,)),
    (o.Activation("silu"), (IMAGE,)),
    (o.Dropout(0.3), (FEATURES,)),
    (o.Identity(), (IMAGE,)),
    (o.Zero(), (IMAGE,)),
    (o.Add(), (IMAGE, IMAGE, IMAGE)),
    (o.Multiply(), (FEATURES, FEATURES)),
    (o.Concat(), (IMAGE, (2, 9, 8))),
    (o.AdaptivePool(3, 2), (IMAGE,)),
    (o.FitChannels(6), (IMAGE,)),
    (o.FitChannels(3), (IMAGE,)),
    (o.Halve(), (IMAGE,)),
    (o.Halve("mean"), ((4, 1, 8),)),
    (o.Resize(5, 9), (IMAGE,)),
    (o.PaddedResidual(6), (IMAGE,)),
    (o.ResidualReduction(6), (IMAGE,)),
    (o.DoublingReduction(), (IMAGE,)),
    (o.Sum(), (IMAGE, (6, 4, 4))),
    (o.Join(), (IMAGE, (6, 4, 4))),
    (o.PooledSum(), (IMAGE, (6, 4, 4))),
    (o.PooledConcat(), (IMAGE, (6, 4, 4))),
    (o.SumToFirst(), (IMAGE, (6, 4, 4))),
    (o.Shortcut(2, 6), (IMAGE,)),
    (o.ShortcutSum(), (IMAGE, (6, 5, 4))),
    (o.ShortcutConcat(), (IMAGE, (6, 5, 4))),
    (o.ConvLike(), (IMAGE, (6, 9, 8))),
    (o.Gate(), (IMAGE, IMAGE[:1])),
    (o.SqueezeExcite(), (IMAGE,)),
    (o.InvertedResidual(4, 5, expansion=3, squeeze=True, function="hardswish"), (IMAGE,)),
    (o.InvertedResidual(8, stride=2), (IMAGE,)),
    (o.Projection(8), (IMAGE,)),
    (o.Projection(), (IMAGE,)),
    (o.Embedding(5, 3), ((),)),
    (o.Mean(), (FEATURES, FEATURES, FEATURES)),
    (o.Interpolate(), (FEATURES, FEATURES, FEATURES)),
    (o.Highway("relu"), ((4,), FEATURES)),
    (o.Foreign(Scaled, (("width", 7),)), (IMAGE,)),
]


def single(op, shapes):
    b = Builder()
    return b.graph(b.add("node", op, *(b.input(f"x{i}", s) for i, s in enumerate(shapes))))


def check_costs(graph, tupled, *lead):
    """Compare shapes, parameters and multiply-accumulates with torch's own count."""
    network = build(graph).eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        outputs = tupled(network(*random_inputs(graph, 2, *lead)))
    found = graph.infer()
    assert tuple(tuple(y.shape) for y in outputs) == tuple((2, *lead, *s) for s in found.outputs)
    assert found.params == sum(p.numel() for p in network.parameters())
    n_steps = lead[0] if lead else 1
    assert 2 * found.flops * 2 * n_steps == counter.get_total_flops()


@pytest.mark.parametrize(("op", "shapes"), CASES, ids=lambda v: type(v).__name__)
def test_costs_of_every_operation(op, shapes, tupled):
    check_costs(single(op, shapes), tupled)


def test_every_operation_has_a_case():
    covered = {type(op) for op, _ in CASES} | {o.Input}
    own = {cls for _, cls in OPERATIONS if cls.__module__.startswith("nasturtium.")}
    on_edges = {o.Component, o.Neuron, o.One}  # what they count stands on their edges, not in PyTorch's parameters
    assert own <= covered | on_edges


@pytest.mark.parametrize("seed", range(40))
def test_costs_of_random_graphs(random_graph, rng, tupled, seed):
    check_costs(random_graph(rng(seed)), tupled)


@pytest.mark.parametrize("seed", range(20))
def test_costs_of_random_recurrent_graphs(random_graph, rng, tupled, seed):
    check_costs(random_graph(rng(seed), is_recurrent=True), tupled, 3)


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_simplified_graphs_compute_the_same(random_graph, rng, draw, tupled, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    first = build(graph).double().eval()
    second = build(graph.simplified(), over_time=is_recurrent).double().eval()
    lead = (2, 3) if is_recurrent else (2,)
    inputs = draw(graph, *lead, dtype=torch.float64)
    with torch.no_grad():
        for one, other in zip(tupled(first(*inputs)), tupled(second(*inputs)), strict=True):
            assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


class TestNames:
    def test_tensors_are_named_after_nodes(self):
        cell = chain_of([("conv", o.Conv(4)), ("scale", o.Scale())])
        b = Builder()
        x = b.add("cell_1", cell, b.input("image", (4, 5, 5)))
        names = set(tensors(build(b.graph(x))))
        assert names == {
            "cell_1.conv.conv.weight",
            "cell_1.conv.norm.weight",
            "cell_1.conv.norm.bias",
            "cell_1.conv.norm.running_mean",
            "cell_1.conv.norm.running_var",
            "cell_1.scale.weight",
        }

    def test_names_that_modules_use_themselves(self, draw):
        b = Builder()
        x = b.add("train", o.Linear(3), b.input("forward", (4,)))
        graph = b.graph(b.add("graph", o.Linear(2), b.add("lambda_", o.Activation(), x)))
        network = build(graph)
        assert set(tensors(network)) == {
            "train.weight",
            "train.bias",
            "graph.weight",
            "graph.bias",
        }
        assert network.train(mode=False)(*draw(graph, 2)).shape == (2, 2)

    def test_each_use_of_a_shared_graph_has_weights_of_its_own(self):
        cell = chain_of([("fc", o.Linear(4))])
        b = Builder()
        x = b.add("two", cell, b.add("one", cell, b.input("x", (4,))))
        network = build(b.graph(x))
        one, two = (network.get_submodule(name) for name in ("one.fc", "two.fc"))
        assert not torch.equal(one.weight, two.weight)

    def test_every_node_has_its_module(self):
        b = Builder()
        x = b.input("x", (4,))
        b.add("dead", o.Linear(7), x)
        network = build(b.graph(b.add("relu", o.Activation(), x)))
        assert isinstance(network.get_submodule("dead"), nn.Linear)
        assert isinstance(network.get_submodule("relu"), Formula)

    def test_levels_are_cells(self):
        graph = single(o.Conv(4), ((2, 5, 5),))
        assert isinstance(build(graph).get_submodule("node"), Cell)


class TestSeed:
    def graph(self, *extra):
        b = Builder()
        x = b.input("image", (2, 5, 5))
        ends = [("own", o.Foreign(Scaled)), ("fc", o.Linear(3))]
        for name, op in [("conv", o.Conv(4)), *extra, *ends]:
            x = b.add(name, op, x)
        return b.graph(x)

    def test_equal_seeds_give_equal_weights(self):
        first, second = (tensors(build(self.graph(), seed=3)) for _ in range(2))
        assert all(np.array_equal(first[name], second[name]) for name in first)

    def test_other_seeds_give_other_weights(self):
        first, second = (tensors(build(self.graph(), seed=seed)) for seed in (3, 4))
        assert not np.array_equal(first["conv.conv.weight"], second["conv.conv.weight"])
        assert not np.array_equal(first["own.fc.weight"], second["own.fc.weight"])

    def test_what_two_graphs_share_begins_equal(self):
        first = tensors(build(self.graph(), seed=3))
        second = tensors(build(self.graph(("more", o.Conv(4))), seed=3))
        assert all(np.array_equal(first[name], second[name]) for name in first)

    def test_layers_of_one_shape_begin_differently(self):
        found = tensors(build(self.graph(("a", o.Conv(4)), ("b", o.Conv(4)))))
        assert not np.array_equal(found["a.conv.weight"], found["b.conv.weight"])

    def test_the_global_random_state_is_untouched(self):
        before = torch.random.get_rng_state()
        build(self.graph(), seed=9)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_the_global_random_state_has_no_influence(self):
        torch.manual_seed(1)
        first = tensors(build(self.graph()))
        torch.manual_seed(2)
        second = tensors(build(self.graph()))
        assert all(np.array_equal(first[name], second[name]) for name in first)

    def test_weights_have_the_spread_of_torchs_layers(self):
        weight = tensors(build(single(o.Linear(400), ((300,),))))["node.weight"]
        assert np.abs(weight).max() == pytest.approx(300**-0.5, rel=1e-2)
        assert weight.std() == pytest.approx((3 * 300) ** -0.5, rel=2e-2)


def test_lazy_modules_are_completed():
    graph = single(o.Foreign(nn.LazyLinear, (("out_features", 3),)), (FEATURES,))
    network = build(graph)
    assert graph.params == sum(p.numel() for p in network.parameters()) == 21


def test_an_open_graph_is_refused():
    graph = chain_of([("fc", OpenOperation(o.Linear, (("out", Pick("w")),)))])
    with pytest.raises(UsageError, match="closed graph"):
        build(graph)


def test_a_recurrent_graph_runs_over_time(random_graph, rng):
    with pytest.raises(UsageError, match="runs over time, got over_time=False"):
        build(random_graph(rng(0), is_recurrent=True), over_time=False)
