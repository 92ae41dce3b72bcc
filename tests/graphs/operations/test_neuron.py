import math

import numpy as np
import pytest
import torch

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder, Edge
from nasturtium.graphs.operations import Component, Neuron, One
from nasturtium.graphs.operations._neuron import FUNCTIONS
from nasturtium.networks import build


@pytest.mark.parametrize("name", FUNCTIONS)
def test_floats_arrays_and_torch_compute_the_same_function(name):
    z = np.linspace(-3, 3, 25)
    of_arrays = FUNCTIONS[name].of(np)(z)
    of_floats = [FUNCTIONS[name].of(math)(float(value)) for value in z]
    b = Builder()
    x = b.add("x0", Component(0), b.input("x", (1,)))
    network = build(b.graph(b.add("y", Neuron(name), x)))
    np.testing.assert_allclose(of_floats, of_arrays, atol=1e-12)
    np.testing.assert_allclose(network(torch.tensor(z[:, None], dtype=torch.float32))[:, 0], of_arrays, atol=1e-6)


def test_the_steep_sigmoid_is_that_of_the_paper_and_never_overflows():
    steep = FUNCTIONS["steep-sigmoid"].of(math)
    assert steep(0.3) == pytest.approx(1 / (1 + math.exp(-4.9 * 0.3)))
    assert (steep(-1e6), steep(1e6)) == (0.0, 1.0)


def test_weights_on_the_edges_are_parameters_and_multiply_accumulates():
    b = Builder()
    x = b.input("x", (2, 3))
    last = b.add("x5", Component(5), x)
    one = b.add("bias", One(), x)
    y = b.add("y", Neuron("linear"), (Edge(last[0].source, weight=2.0),), (Edge(one[0].source, weight=-1.0),))
    graph = b.graph(y)
    assert (graph.params, graph.flops, graph.shapes["y"]) == (2, 2, (1,))
    assert build(graph)(torch.arange(6.0).reshape(1, 2, 3)).tolist() == [[9.0]]


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="unknown function 'sinus'"):
        Neuron("sinus")
    with pytest.raises(ShapeError, match="neuron needs inputs"):
        Neuron().shape((2,))
    with pytest.raises(ShapeError, match="component needs more than 3 numbers"):
        Component(3).shape((3,))
