"""Measuring users' modules."""

import pytest
import torch
from torch import nn

from nasturtium.errors import ShapeError, UsageError
from nasturtium.networks import constructor_arguments, measure_module


class Gate(nn.Module):
    """Two inputs, one of them gating the other; counts how often it was made."""

    made = 0

    def __init__(self, in_channels, width=2):
        super().__init__()
        Gate.made += 1
        self.main = nn.Conv2d(in_channels, width, 3, padding=1)
        self.gate = nn.Linear(5, width, bias=False)
        self.gate.weight.requires_grad_(False)

    def forward(self, x, g):
        return self.main(x) * torch.sigmoid(self.gate(g))[:, :, None, None]


def test_shape_trainable_parameters_and_macs():
    found = measure_module(Gate, (("width", 4),), ((3, 6, 6), (5,)))
    assert found.shape == (4, 6, 6)
    assert found.params == 3 * 4 * 9 + 4
    assert found.macs == 3 * 4 * 9 * 36 + 5 * 4


def test_it_is_measured_once():
    measure_module(Gate, (("width", 6),), ((3, 6, 6), (5,)))
    before = Gate.made
    measure_module(Gate, (("width", 6),), ((3, 6, 6), (5,)))
    assert Gate.made == before


class Ruled(nn.Module):
    def __init__(self, in_shape, in_features, in_channels, other=1):
        super().__init__()


def test_constructors_get_what_the_input_tells():
    filled = constructor_arguments(Ruled, (("other", 2),), ((3, 4, 5),))
    assert filled == {"in_shape": (3, 4, 5), "in_features": 5, "in_channels": 3, "other": 2}


def test_what_is_given_wins():
    filled = constructor_arguments(Ruled, (("in_channels", 9),), ((3, 4, 5),))
    assert filled["in_channels"] == 9


class Losing(nn.Module):
    def forward(self, x):
        return x.sum()


class Twice(nn.Module):
    def forward(self, x):
        return x, x


class NoModule:
    pass


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        (
            nn.Linear,
            (("out_features", 3), ("in_features", 5)),
            r"Linear\(.*meta device.*\[\(4,\)\]",
        ),
        (nn.Linear, (("width", 3),), "unexpected keyword argument 'width'"),
        (Losing, (), r"one tensor \(batch, ...\), got \(\) for a batch"),
        (Twice, (), r"one tensor \(batch, ...\), got tuple"),
        (NoModule, (), "subclass of nn.Module, got NoModule"),
    ],
)
def test_what_does_not_run_is_a_shape_error_of_one_line(module, options, message):
    with pytest.raises(ShapeError, match=message) as caught:
        measure_module(module, options, ((4,),))
    assert "\n" not in str(caught.value)


def test_options_are_hashable():
    with pytest.raises(UsageError, match=r"hashable.*use tuples instead of lists"):
        measure_module(nn.Linear, (("out_features", [3]),), ((4,),))


def test_nothing_is_allocated_and_no_number_drawn():
    before = torch.random.get_rng_state()
    found = measure_module(nn.Linear, (("out_features", 10**7),), ((10**6,),))
    assert found.params == 10**13 + 10**7
    assert torch.equal(torch.random.get_rng_state(), before)
