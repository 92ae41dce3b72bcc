"""Tensors by name, out of modules and into them."""

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.networks import load_tensors, tensors


def small():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))


def test_parameters_and_statistics_but_no_counters():
    assert list(tensors(small())) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
    ]


def test_they_are_copies():
    module = small()
    found = tensors(module)
    before = found["0.weight"].copy()
    with torch.no_grad():
        module[0].weight.add_(1)
    assert np.array_equal(found["0.weight"], before)


def test_round_trip():
    first, second = small(), small()
    load_tensors(second, tensors(first))
    state = first.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in second.state_dict().items())


def test_dtypes_and_memory_formats_stay_the_modules():
    source = small().double()
    target = small().to(memory_format=torch.channels_last)
    load_tensors(target, tensors(source))
    assert target[0].weight.dtype == torch.float32
    assert target[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(target[0].weight.double(), source[0].weight)


def test_half_precision_numbers():
    module = nn.Linear(2, 2).to(torch.bfloat16)
    found = tensors(module)
    assert found["weight"].dtype == np.float32
    load_tensors(module, found)
    assert module.weight.dtype == torch.bfloat16


def test_read_only_arrays_are_taken():
    module, found = small(), tensors(small())
    for array in found.values():
        array.flags.writeable = False
    load_tensors(module, found)
    assert all(np.array_equal(array, found[name]) for name, array in tensors(module).items())


def test_gradients_still_flow_after_loading():
    module = small()
    load_tensors(module, tensors(small()))
    module(torch.randn(2, 2, 5, 5)).sum().backward()
    assert module[0].weight.grad is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), "'0.bias' is missing"),
        (lambda t: t.update({"0.bais": t["0.bias"]}), "no tensor '0.bais'; did you mean '0.bias'"),
        (lambda t: t.update({"0.bias": np.zeros(4)}), r"has shape \(3,\), got \(4,\)"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(change, message):
    module = small()
    before = tensors(module)
    wrong = {name: array + 1 for name, array in before.items()}
    change(wrong)
    with pytest.raises(UsageError, match=message):
        load_tensors(module, wrong)
    after = tensors(module)
    assert all(np.array_equal(before[name], after[name]) for name in before)
