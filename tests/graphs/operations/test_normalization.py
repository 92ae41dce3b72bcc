"""Normalizations of each example by itself."""

import torch
from torch.nn import functional

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def applied(op, x):
    b = Builder()
    return build(b.graph(b.add("norm", op, b.input("x", tuple(x.shape[1:])))))(x)


def test_they_are_torchs():
    x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(applied(o.InstanceNorm(), x), functional.instance_norm(x), atol=1e-6)
    assert torch.allclose(applied(o.LayerNorm(), x), functional.layer_norm(x, (4, 5, 3)), atol=1e-6)


def test_one_pixel_is_an_image():
    x = torch.randn(2, 4, 1, 1, generator=torch.Generator().manual_seed(0))
    assert applied(o.InstanceNorm(), x).abs().max() < 1e-3
