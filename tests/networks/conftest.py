"""Fixtures of the tests of networks."""

import numpy as np
import pytest
import torch


@pytest.fixture
def rng():
    """Return what makes a generator from a seed."""
    return np.random.default_rng


@pytest.fixture
def draw():
    """Return what draws a batch for every input of a graph."""

    def drawn(graph, *lead, seed=0, dtype=torch.float32):
        generator = torch.Generator().manual_seed(seed)
        shapes = (graph.shapes[node.name] for node in graph.inputs)
        return [torch.randn(*lead, *s, generator=generator, dtype=dtype) for s in shapes]

    return drawn


@pytest.fixture
def tupled():
    """Return what makes a tuple of one output or of several."""
    return lambda result: result if isinstance(result, tuple) else (result,)
