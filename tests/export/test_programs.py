"""Traced forms: random graphs, and the second of torch's two ONNX exporters."""

import numpy as np
import onnxruntime
import pytest
import torch

from nasturtium.errors import ParityError
from nasturtium.export import _programs
from nasturtium.export._programs import Trace, check_equal, write_onnx, write_program
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build


def trace(graph, metadata=None):
    return Trace(build(graph).eval(), None, metadata or {})


@pytest.mark.parametrize("seed", [1, 4, 9])
def test_onnx_of_random_graphs(random_graph, rng, tmp_path, seed):
    # Reading back compares the outputs; a difference raises.
    write_onnx(trace(random_graph(rng(seed), n_nodes=6)), tmp_path / "model.onnx")


@pytest.mark.parametrize("seed", [2])
def test_programs_of_random_graphs(random_graph, rng, tmp_path, seed):
    write_program(trace(random_graph(rng(seed), n_nodes=6)), tmp_path / "model.pt2")


def plain():
    b = Builder()
    x = b.add("conv", o.Conv(3), b.input("image", (1, 6, 6)))
    return b.graph(b.add("pool", o.GlobalPool(), x), b.add("again", o.Identity(), x))


def test_the_second_exporter_takes_over(tmp_path, monkeypatch):
    calls = []

    def convert(*arguments, dynamo):
        calls.append(dynamo)
        if not dynamo:
            raise RuntimeError("gone")
        return real(*arguments, dynamo=dynamo)

    real = _programs._convert
    monkeypatch.setattr(_programs, "_convert", convert)
    found = trace(plain())
    write_onnx(found, tmp_path / "model.onnx")
    assert calls == [False, True]
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    x = torch.randn(5, 1, 6, 6)
    results = session.run(None, {"image": x.numpy()})
    for want, have in zip(found.network(x), results, strict=True):
        assert np.abs(want.detach().numpy() - have).max() < 1e-5
    assert session.get_inputs()[0].shape[0] == "batch"


def test_an_output_that_is_an_input_gets_another_name(tmp_path):
    b = Builder()
    x = b.input("x", (3,))
    write_onnx(trace(b.graph(b.add("fc", o.Linear(2), x), x)), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [value.name for value in session.get_outputs()] == ["fc", "x_out"]


def test_differences_are_noticed():
    found = trace(plain())
    check_equal(found, found.network, "same")
    with pytest.raises(ParityError, match=r"other must agree with the network to 0\.0001"):
        check_equal(found, lambda x: tuple(y + 0.01 for y in found.network(x)), "other")
    with pytest.raises(ParityError, match=r"other must give \(3, 3\), got \(3, 1\)"):
        check_equal(found, lambda x: tuple(y[:, :1] for y in found.network(x)), "other")


def test_an_example_of_one_is_doubled():
    found = Trace(build(plain()).eval(), [torch.zeros(1, 1, 6, 6)], {})
    assert found.examples[0].shape == (2, 1, 6, 6)
