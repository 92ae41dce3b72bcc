"""The rewritten network computes what the plain one does: outputs, gradients, statistics."""

import pytest
import torch
from torch import nn

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import _fast as fast
from nasturtium.networks import accelerated, build
from nasturtium.spaces import Networks, load
from nasturtium.testing._toys import spaces

SMALL = dict(spaces())


def compared(graph, x):
    """Compare a training step in float64 of both networks, then an evaluation."""
    plain, other = (build(graph, seed=1).double().to(memory_format=torch.channels_last) for _ in range(2))
    quick = accelerated(other)
    x = x.double().contiguous(memory_format=torch.channels_last)
    for net in (plain, quick):
        net.train()
    one, two = (x.clone().requires_grad_() for _ in range(2))
    torch.manual_seed(0)  # for dropout
    expected = plain(one)
    torch.manual_seed(0)
    got = quick(two)
    assert torch.allclose(got, expected, atol=1e-9)
    for result in (expected, got):
        weights = torch.linspace(-1, 1, result.numel(), dtype=result.dtype).view(result.shape)
        (weights * result).sum().backward()
    assert torch.allclose(two.grad, one.grad, atol=1e-9)
    for (name, a), (_, b) in zip(plain.named_parameters(), other.named_parameters(), strict=True):
        assert torch.allclose(b.grad, a.grad, atol=1e-8), name
    for (name, a), (_, b) in zip(plain.named_buffers(), other.named_buffers(), strict=True):
        assert torch.allclose(b, a, atol=1e-9), name
    plain.eval()
    quick.eval()
    assert torch.allclose(quick(x), plain(x), atol=1e-8)
    return quick


@pytest.fixture(params=[True, False], ids=["folded", "plain"])
def folding(request, monkeypatch):
    """Rewrite for any batch, or for none."""
    monkeypatch.setattr(fast, "LARGE", 0 if request.param else 1 << 40)
    monkeypatch.setattr(fast, "FEW", 0 if request.param else 1 << 40)
    monkeypatch.setattr(fast, "TINY", 1 << 40 if request.param else -1)


@pytest.mark.parametrize("index", [1462, 7, 6111, 9930])
def test_cells_of_nasbench201(index, folding):
    space = load("nasbench201", cells=1, filters=4, input_shape=(1, 9, 9))
    torch.manual_seed(0)
    compared(space.graph(space.at(index)).simplified(), torch.randn(4, 1, 9, 9))


@pytest.mark.parametrize("name", [name for name, space in SMALL.items() if space.supports(Networks)])
def test_a_network_of_every_space(name, monkeypatch, rng, draw):
    monkeypatch.setattr(fast, "LARGE", 0)
    monkeypatch.setattr(fast, "FEW", 0)
    monkeypatch.setattr(fast, "TINY", 1 << 40)
    graph = SMALL[name].graph(SMALL[name].sample(rng(0))).simplified()
    if graph.is_recurrent or len(graph.inputs) != 1:
        network = build(graph)
        assert accelerated(network) is network
        return
    compared(graph, *draw(graph, 4))


def test_the_rewrites_are_made():
    space = load("nasbench201", cells=1, filters=4, input_shape=(1, 8, 8))
    cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|nor_conv_3x3~0|skip_connect~1|avg_pool_3x3~2|"
    quick = accelerated(build(space.graph(space.parse(cell))))
    used = {type(quick.get_submodule(n.target)) for n in quick.graph.nodes if n.op == "call_module"}
    assert used == {fast.TinyConvolution, nn.Linear, fast.ConvolutionPool, fast.FoldedNorm}
    # A cell's three convolutions read one ReLU: those of two cells and two reductions are left, as
    # those of the first cell, the reductions' own and the last follow a normalization.
    assert sum(n.target is nn.functional.relu for n in quick.graph.nodes) == 4
    assert sum(m.relu for m in quick.modules() if isinstance(m, fast.FoldedNorm)) == 4


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (5, 1)])
def test_tiny_convolutions(kernel, stride, monkeypatch):
    monkeypatch.setattr(fast, "TINY", 1 << 40)
    b = Builder()
    graph = b.graph(b.add("conv", o.Conv2d(4, kernel, stride), b.input("image", (3, 7, 7))))
    torch.manual_seed(0)
    quick = compared(graph, torch.randn(2, 3, 7, 7))
    monkeypatch.setattr(nn.Conv2d, "forward", None)  # it isn't called where the other kernel is taken
    assert quick(torch.randn(2, 3, 7, 7).double().to(memory_format=torch.channels_last)).shape[:2] == (2, 4)


@pytest.mark.parametrize("of_x", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("of_weights", [torch.channels_last, torch.contiguous_format])
def test_tiny_convolutions_in_every_memory_format(of_x, of_weights, monkeypatch):
    monkeypatch.setattr(fast, "TINY", 1 << 40)
    torch.manual_seed(0)
    plain = nn.Conv2d(3, 4, 3, 2, 1).double().to(memory_format=of_weights)
    x = torch.randn(2, 3, 7, 7, dtype=torch.double).contiguous(memory_format=of_x)
    found = []
    for module in (plain, fast.TinyConvolution(plain)):
        y = module(x)
        found.append(
            (y, *torch.autograd.grad((y * torch.arange(y.numel()).view(y.shape)).sum(), [*plain.parameters()]))
        )
    for expected, got in zip(*found, strict=True):
        assert torch.allclose(got, expected)


def test_a_grouped_convolution_stays():
    b = Builder()
    graph = b.graph(b.add("deep", o.Conv2d(3, 3, groups=3), b.input("image", (3, 7, 7))))
    quick = accelerated(build(graph))
    assert not any(isinstance(module, fast.TinyConvolution) for module in quick.modules())


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1), (3, 2), (4, 2), (5, 1)])
def test_pooling_by_convolution(kernel, stride, monkeypatch):
    monkeypatch.setattr(fast, "FEW", 0)
    b = Builder()
    graph = b.graph(b.add("pool", o.AvgPool(kernel, stride), b.input("image", (3, 7, 7))))
    torch.manual_seed(0)
    compared(graph, torch.randn(2, 3, 7, 7))


def test_statistics_without_momentum_are_cumulative(monkeypatch):
    monkeypatch.setattr(fast, "LARGE", 0)
    b = Builder()
    graph = b.graph(b.add("norm", o.BatchNorm(), b.input("image", (3, 4, 4))))
    network = build(graph)
    network.norm.momentum = None
    network.norm.reset_running_stats()
    quick = accelerated(network)
    x = torch.randn(2, 5, 3, 4, 4)
    for batch in x:
        quick(batch.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(network.norm.running_mean, x.mean((0, 1, 3, 4)), atol=1e-6)


def test_large_means_lose_no_accuracy(monkeypatch):
    monkeypatch.setattr(fast, "LARGE", 0)
    norm = nn.BatchNorm2d(4)
    x = (1000 + torch.randn(8, 4, 6, 6)).contiguous(memory_format=torch.channels_last)
    assert torch.allclose(fast.FoldedNorm(norm, relu=False)(x), norm(x), atol=1e-2)


def test_what_runs_over_time_stays(random_graph, rng):
    network = build(random_graph(rng(0), is_recurrent=True))
    assert accelerated(network) is network
