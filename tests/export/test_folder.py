"""Export folders: complete or absent, every file agreeing with the network."""

import json
import os
import stat
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.export import _folder, _programs, export_network
from nasturtium.graphs import Builder, delayed
from nasturtium.graphs import operations as o
from nasturtium.networks import build
from nasturtium.spaces import load
from nasturtium.testing import Shapes

FILES = ("architecture.json", "model.onnx", "model.pt2", "model.py", "weights.safetensors")
METADATA = {"mean": [0.5], "std": [2.0], "classes": ["a", "b"], "trial": 3}


def small(*extra):
    b = Builder()
    x = b.add("conv", o.Conv(4, stride=2), b.input("image", (1, 8, 8)))
    for name, op in extra:
        x = b.add(name, op, x)
    x = b.add("pool", o.GlobalPool(), x)
    return b.graph(b.add("head", o.Linear(2), x))


def trained(graph):
    """Return a network with statistics that are not the initial ones."""
    network = build(graph)
    with torch.no_grad():
        network(torch.randn(64, 1, 8, 8) * 3 + 1)
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    network = trained(small())
    folder = tmp_path_factory.mktemp("front") / "trial-3"
    result = export_network(network, folder, architecture={"a": (1, 2)}, metadata=METADATA)
    return network, result


def test_all_files_are_there(exported):
    _, result = exported
    assert result.problems == {}
    assert result.files == FILES
    assert sorted(path.name for path in result.folder.iterdir()) == list(FILES)
    assert [path.name for path in result.folder.parent.iterdir()] == ["trial-3"]


def test_weights_load_strictly(exported):
    network, result = exported
    state = load_file(result.folder / "weights.safetensors")
    build(network.graph).load_state_dict(state, strict=True)
    assert all(torch.equal(state[k], v) for k, v in network.state_dict().items())


def test_the_architecture_is_json(exported, as_json):
    assert as_json(exported[1].folder / "architecture.json") == {"a": [1, 2]}


@pytest.mark.parametrize("n", [1, 2, 17])
def test_every_form_agrees_for_every_batch_size(exported, loaded, n):
    network, result = exported
    x = torch.randn(n, 1, 8, 8)
    with torch.no_grad():
        expected = network(x)
        source = loaded((result.folder / "model.py").read_text()).load(result.folder)(x)
        program = torch.export.load(result.folder / "model.pt2").module()(x)
    session = onnxruntime.InferenceSession(result.folder / "model.onnx")
    (traced,) = session.run(None, {"image": x.numpy()})
    assert torch.equal(source, expected)
    assert torch.allclose(program, expected, atol=1e-6)
    assert np.abs(traced - expected.numpy()).max() <= 1e-4


def test_traced_files_carry_names_and_metadata(exported):
    _, result = exported
    model = onnx.load(result.folder / "model.onnx")
    ends = [*model.graph.input, *model.graph.output]
    assert [value.name for value in ends] == ["image", "head"]
    assert [v.type.tensor_type.shape.dim[0].dim_param for v in ends] == ["batch", "batch"]
    found = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert found == METADATA
    extra = {"metadata.json": ""}
    torch.export.load(result.folder / "model.pt2", extra_files=extra)
    assert json.loads(extra["metadata.json"]) == METADATA


def test_files_can_be_read_by_others(exported):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in exported[1].folder.iterdir()}
    umask = os.umask(0)
    os.umask(umask)
    assert modes == {0o666 & ~umask}


def test_the_network_is_not_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(_folder, "write_program", lambda trace, path: None)
    monkeypatch.setattr(_folder, "write_onnx", lambda trace, path: None)
    network = build(small()).train().double().to(memory_format=torch.channels_last)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    export_network(network, tmp_path / "out", architecture={})
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.fixture
def quick(monkeypatch):
    """Leave the slow files out."""

    def touch(trace, path):
        path.write_text("")

    monkeypatch.setattr(_folder, "write_program", touch)
    monkeypatch.setattr(_folder, "write_onnx", touch)


class TestFolder:
    @pytest.mark.usefixtures("quick")
    def test_an_old_folder_is_replaced(self, tmp_path):
        folder = tmp_path / "deep" / "out"
        for i in range(2):
            export_network(build(small()), folder, architecture={"run": i})
            (folder / "left").touch()
        export_network(build(small()), folder, architecture={"run": 2})
        assert json.loads((folder / "architecture.json").read_text()) == {"run": 2}
        assert not (folder / "left").exists()
        assert [path.name for path in folder.parent.iterdir()] == ["out"]

    @pytest.mark.usefixtures("quick")
    def test_what_a_killed_export_left_is_removed(self, tmp_path):
        (tmp_path / ".out.partial-1234").mkdir()
        (tmp_path / ".out.partial-1234" / "model.py").touch()
        (tmp_path / ".other.partial-1").mkdir()
        export_network(build(small()), tmp_path / "out", architecture={})
        assert sorted(p.name for p in tmp_path.iterdir()) == [".other.partial-1", "out"]

    def test_an_interrupted_export_leaves_nothing(self, tmp_path, monkeypatch):
        def interrupt(trace, path):
            raise KeyboardInterrupt

        monkeypatch.setattr(_folder, "write_onnx", interrupt)
        with pytest.raises(KeyboardInterrupt):
            export_network(build(small()), tmp_path / "out", architecture={})
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(UsageError, match="folder must be writable"):
            export_network(build(small()), tmp_path / "file" / "out", architecture={})


class TestProblems:
    def test_a_missing_extra_costs_one_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_programs, "find_spec", lambda name: None)
        monkeypatch.setattr(_folder, "write_program", lambda trace, path: path.touch())
        result = export_network(build(small()), tmp_path / "out", architecture={})
        assert list(result.problems) == ["model.onnx"]
        assert "nasturtium[onnx]" in result.problems["model.onnx"]
        assert "model.onnx" not in result.files
        assert len(result.files) == 4

    def test_a_file_that_disagrees_is_left_out(self, tmp_path, monkeypatch):
        def wrong(graph, **options):
            source = _source(graph, **options)
            return source.replace("return self.head(x)", "return 2 * self.head(x)")

        _source = _folder.source_of
        monkeypatch.setattr(_folder, "source_of", wrong)
        monkeypatch.setattr(_folder, "write_program", lambda trace, path: path.touch())
        monkeypatch.setattr(_folder, "write_onnx", lambda trace, path: path.touch())
        result = export_network(trained(small()), tmp_path / "out", architecture={})
        assert list(result.problems) == ["model.py"]
        assert "must agree with the network to 0.0001" in result.problems["model.py"]
        assert not (result.folder / "model.py").exists()

    def test_a_module_that_cannot_be_written_down_costs_its_source_only(self, tmp_path):
        factor = 3

        class Local(nn.Module):
            def forward(self, x):
                return x * factor

        network = trained(small(("own", o.Foreign(Local))))
        result = export_network(network, tmp_path / "out", architecture={})
        assert list(result.problems) == ["model.py"]
        assert "can't be copied" in result.problems["model.py"]


def recurrent():
    b = Builder()
    x = b.add("fc", o.Linear(4), b.input("x", (3,)))
    total = b.add("total", o.Add(), x)
    h = b.add("h", o.Activation("tanh"), total)
    b.extend("total", delayed(h))
    return b.graph(h)


class TestOverTime:
    def test_with_an_example_every_file_is_written(self, tmp_path):
        network = build(recurrent())
        example = [torch.randn(1, 5, 3)]
        result = export_network(network, tmp_path / "out", architecture={}, example=example)
        assert result.problems == {}
        x = torch.randn(3, 5, 3)
        session = onnxruntime.InferenceSession(result.folder / "model.onnx")
        (traced,) = session.run(None, {"x": x.numpy()})
        assert np.abs(traced - network(x).detach().numpy()).max() <= 1e-4

    def test_without_one_the_length_is_unknown(self, tmp_path):
        result = export_network(build(recurrent()), tmp_path / "out", architecture={})
        assert sorted(result.problems) == ["model.onnx", "model.pt2"]
        assert "pass example=" in result.problems["model.pt2"]
        assert "model.py" in result.files

    def test_tokens_are_whole_numbers_in_every_file(self, tmp_path):
        space = load("recurrent", base=2, hidden=4, layers=2).on(Shapes((), 7))
        network = build(space.graph(next(iter(space))))
        tokens = torch.randint(7, (3, 5))
        result = export_network(network, tmp_path / "out", architecture={}, example=[tokens])
        assert result.problems == {}
        session = onnxruntime.InferenceSession(result.folder / "model.onnx")
        (traced,) = session.run(None, {"token": tokens.numpy()})
        assert np.abs(traced - network(tokens).detach().numpy()).max() <= 1e-4
        source = (result.folder / "model.py").read_text()
        assert "Takes   int64 below 7 (batch, time)\n" in source
        run = subprocess.run([sys.executable, result.folder / "model.py"], capture_output=True, text=True, check=True)
        assert "output for zeros: (1, 8, 7)" in run.stdout
