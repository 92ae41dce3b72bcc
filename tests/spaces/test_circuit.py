"""Circuits compute what the graphs of the same genomes compute."""

import math

import numpy as np
import torch

from nasturtium.networks import build
from nasturtium.spaces import Circuit, Gene, Genome, Neurons


def grown(space, seed):
    rng = np.random.default_rng(seed)
    architecture = space.start(rng)
    for _ in range(30):
        architecture = space.mutate(architecture, rng)
    return architecture


def run(circuit, inputs):
    """Return the outputs of each time step, shape (steps, batch, outputs)."""
    state, found = None, []
    for x in inputs:
        outputs, state = circuit.step([*x.T, np.ones(len(x))], state)
        found.append(np.stack([np.broadcast_to(y, len(x)) for y in outputs], axis=1))
    return np.array(found)


def test_arrays_floats_and_torch_agree_also_over_time():
    for seed in range(12):
        space = Neurons(hidden=("tanh", "gaussian", "sine"), is_recurrent=bool(seed % 2), input_shape=(3,), n_outputs=2)
        architecture = grown(space, seed)
        x = np.random.default_rng(seed).normal(size=(4, 5, 3))
        batched = run(space.circuit(architecture, np), x)
        floats, state = space.circuit(architecture, math), None
        for t in range(4):
            outputs, state = floats.step([*x[t, 0].tolist(), 1.0], state)
            np.testing.assert_allclose(outputs, batched[t, 0], atol=1e-12)
        network = build(space.graph(architecture), over_time=True)
        tensor = torch.tensor(x.transpose(1, 0, 2), dtype=torch.float32)
        np.testing.assert_allclose(network(tensor).numpy().transpose(1, 0, 2), batched, atol=1e-4)


def test_what_no_output_reads_is_left_out_and_what_nothing_reaches_reads_zero():
    genes = {("x0", "h", 0): Gene(1.0), ("x0", "y0", 0): Gene(3.0, False)}
    circuit = Circuit(Genome({"h": "tanh"}, genes), ("x0",), ("y0",), "sigmoid", math)
    outputs, state = circuit.step([5.0])
    assert outputs == [0.5]
    assert len(state) == 2  # x0 and y0


def test_a_loop_counts_and_begins_at_zero():
    genes = {("x0", "y0", 0): Gene(1.0), ("y0", "y0", 1): Gene(1.0)}
    circuit = Circuit(Genome({}, genes), ("x0",), ("y0",), "linear", math)
    assert circuit.is_recurrent
    state, seen = None, []
    for _ in range(3):
        outputs, state = circuit.step([1.0], state)
        seen += outputs
    assert seen == [1.0, 2.0, 3.0]
