"""Normalizations of each example by itself."""

import torch
from torch.nn import functional

from nasturtium.graphs import chain_of
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def applied(op, x):
    graph = chain_of([("norm", op)])
    inner = graph.by_name["x"]
    declared = type(graph)((type(inner)("x", o.Input(tuple(x.shape[1:]))), *graph.nodes[1:]), graph.outputs)
    return build(declared)(x)


def test_they_are_torchs():
    x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(applied(o.InstanceNorm(), x), functional.instance_norm(x), atol=1e-6)
    assert torch.allclose(applied(o.LayerNorm(), x), functional.layer_norm(x, (4, 5, 3)), atol=1e-6)


def test_one_pixel_is_an_image():
    assert applied(o.InstanceNorm(), torch.randn(2, 4, 1, 1)).abs().max() == 0
