"""Fixtures of the tests of export."""

import json
import sys
import types

import numpy as np
import pytest
import torch


@pytest.fixture
def rng():
    """Return what makes a generator from a seed."""
    return np.random.default_rng


@pytest.fixture
def loaded():
    """Return what runs generated source and gives its names."""

    def run(source):
        module = types.ModuleType("generated")
        module.__file__ = "/nowhere/model.py"
        sys.modules["generated"] = module
        exec(compile(source, "model.py", "exec"), vars(module))
        return module

    yield run
    sys.modules.pop("generated", None)


@pytest.fixture
def same(loaded):
    """Return what compares generated source with a network, to no difference at all."""

    def compare(source, network, *lead, dtype=torch.float32):
        module = loaded(source)
        other = module.Network()
        assert list(other.state_dict()) == list(network.state_dict())
        other.load_state_dict(network.state_dict())
        generator = torch.Generator().manual_seed(0)
        shapes = [network.graph.shapes[node.name] for node in network.graph.inputs]
        inputs = [torch.randn(2, *lead, *shape, generator=generator) for shape in shapes]
        with torch.no_grad():
            results = [f.eval()(*inputs) for f in (network, other)]
        results = [r if isinstance(r, tuple) else (r,) for r in results]
        for want, have in zip(*results, strict=True):
            assert torch.equal(want.nan_to_num(), have.nan_to_num())
        return module

    return compare


@pytest.fixture
def as_json():
    """Return what reads a JSON file."""
    return lambda path: json.loads(path.read_text())
