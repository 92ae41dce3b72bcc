"""Descent on one vector of weights equals torch's, tensor by tensor."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.estimators._descent import Descent
from nasturtium.estimators._recipes import RECIPES


def network(seed=0):
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    return layers.to(memory_format=torch.channels_last)


def steps(net, n, step, zero_grad):
    generator = torch.Generator().manual_seed(0)
    for i in range(n):
        zero_grad()
        net(10 * torch.randn(8, 3, 6, 6, generator=generator)).square().mean().backward()
        step(i / n)


@pytest.mark.parametrize("name", ["fast", "darts"])
def test_it_is_torchs_descent_with_clipping(name):
    recipe = replace(RECIPES[name], clip=0.1)
    ours, theirs = network(), network()
    descent = Descent(ours, recipe)
    sgd = torch.optim.SGD(
        theirs.parameters(), lr=1.0, momentum=0.9, weight_decay=recipe.weight_decay, nesterov=recipe.nesterov
    )

    def step(progress):
        sgd.param_groups[0]["lr"] = recipe.rate(progress)
        nn.utils.clip_grad_norm_(theirs.parameters(), recipe.clip)
        sgd.step()

    steps(ours, 5, descent.step, descent.zero_grad)
    steps(theirs, 5, step, sgd.zero_grad)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
        assert a.stride() == b.stride()


def test_the_average_forgets_the_first_weights():
    net = network()
    descent = Descent(net, replace(RECIPES["final"], average=0.5))
    seen = []
    expected = descent.weights.detach().clone()
    for n in range(1, 21):
        steps(net, 1, descent.step, descent.zero_grad)
        decay = min(0.5, n / (n + 10))
        expected = decay * expected + (1 - decay) * descent.weights.detach()
        seen.append(descent.weights.detach().clone())
    with descent.averaged():
        assert torch.allclose(descent.weights, expected, atol=1e-6)
        assert torch.equal(net[0].bias, descent.weights[108:112])
    assert torch.equal(descent.weights, seen[-1])


def test_a_state_goes_on_bit_for_bit():
    one, two = network(), network()
    whole, first = (Descent(net, RECIPES["final"]) for net in (one, two))
    for descent, net in ((whole, one), (first, two)):
        steps(net, 4, descent.step, descent.zero_grad)
    three = network(seed=1)
    second = Descent(three, RECIPES["final"])
    second.load_state_dict(first.state_dict())
    three.load_state_dict({**two.state_dict()})
    for descent, net in ((whole, one), (second, three)):
        steps(net, 3, descent.step, descent.zero_grad)
    assert torch.equal(whole.weights, second.weights)
    assert torch.equal(whole.average, second.average)


def test_several_types_are_refused():
    net = network()
    net[4].double()
    with pytest.raises(UsageError, match="trained in one type on one device"):
        Descent(net, RECIPES["fast"])
