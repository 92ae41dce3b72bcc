"""Generated source: equal to the network to the last bit, readable, stand-alone."""

import ast
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from nasturtium.errors import UsageError
from nasturtium.export import source_of
from nasturtium.export._fold import WIDTH
from nasturtium.graphs import Builder, OpenOperation, Pick, chain_of, delayed
from nasturtium.graphs import operations as o
from nasturtium.networks import build
from nasturtium.spaces import branch, cell, chain, choice, op, optional, repeat
from nasturtium.testing import Shapes


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(random_graph, rng, same, seed):
    graph = random_graph(rng(seed))
    source = source_of(graph)
    same(source, build(graph, seed=seed))
    assert max(map(len, source.splitlines())) <= WIDTH


@pytest.mark.parametrize("seed", range(10))
def test_networks_of_a_users_blocks(rng, same, seed):
    cells = cell(op("conv", stride=choice(1, 2)), branch(op("identity"), op("conv", out=6)), nodes=2)
    mixed = branch(op("identity"), op("flatten"), merge=choice("add", "concat"))
    space = chain(op("conv", out=4), repeat(cells, at_most=2, tied=True), optional(op("conv")), mixed, op("linear"))
    space = space.on(Shapes())
    graph = space.graph(space.sample(rng(seed)))
    same(source_of(graph), build(graph, seed=seed))


@pytest.mark.parametrize("seed", range(40))
def test_random_recurrent_graphs(random_graph, rng, same, seed):
    graph = random_graph(rng(seed), is_recurrent=True)
    same(source_of(graph), build(graph, seed=seed), 4)


@pytest.mark.parametrize("seed", range(10))
def test_graphs_with_several_inputs(random_graph, rng, same, seed):
    graph = random_graph(rng(seed), shapes=((3, 6, 6), (3, 6, 6), (5,)))
    same(source_of(graph), build(graph))


def test_training_mode_is_the_same_too(random_graph, rng, loaded):
    graph = random_graph(rng(11))
    network = build(graph)
    other = loaded(source_of(graph)).Network()
    other.load_state_dict(network.state_dict())
    x = torch.randn(4, 3, 8, 8)
    results = []
    for module in (network, other):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            result = module.train()(x)
        results.append(result if isinstance(result, tuple) else (result,))
    for want, have in zip(*results, strict=True):
        assert torch.equal(want, have)


def stacked():
    """Return a stack of cells as search spaces make it."""
    b = Builder()
    x, y = b.input("previous"), b.input("last")
    left, right = b.add("left", o.SepConv(), x), b.add("right", o.Conv(), y)
    pool = b.add("pool", o.MaxPool(), y)
    total = b.add("total", o.Add(), left, right)
    cell = b.graph(b.add("output", o.Concat(), total, pool))
    b = Builder()
    x = b.input("image", (1, 12, 12))
    before = last = b.add("stem", o.Conv2d(4), x)
    for i in range(4):
        fit_before = b.add(f"fit_{i}_left", o.Conv(4, 1), before)
        fit_last = b.add(f"fit_{i}_right", o.Conv(4, 1), last)
        before, last = last, b.add(f"normal_{i}", cell, fit_before, fit_last)
    x = b.add("head", o.Linear(10), b.add("pool", o.GlobalPool(), last))
    return b.graph(x)


def test_a_stack_of_cells_is_short(same):
    graph = stacked()
    source = source_of(graph)
    same(source, build(graph))
    assert source.count("class NormalCell(nn.Module):") == 1
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    assert max(n.end_lineno - n.lineno for n in functions) < 25
    assert len(source.splitlines()) < 140


def test_no_name_of_the_project_is_used():
    tree = ast.parse(source_of(stacked()))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or node.names[0].name]
    }
    assert {name.partition(".")[0] for name in imported} <= {"pathlib", "torch", "safetensors"}


def test_names_that_modules_use_themselves(same):
    b = Builder()
    x = b.add("train", o.Linear(4), b.input("x", (3,)))
    x = b.add("lambda", o.Linear(4), x)
    x = b.add("torch", o.Linear(4), x)
    graph = b.graph(b.add("step", o.Linear(2), x), b.add("forward", o.Activation(), x))
    same(source_of(graph), build(graph))


def test_a_network_without_memory_over_time(same):
    b = Builder()
    graph = b.graph(b.add("fc", o.Linear(2), b.input("x", (3,))))
    same(source_of(graph, over_time=True), build(graph, over_time=True), 5)


def test_a_recurrent_cell_reads_like_one():
    b = Builder()
    x = b.add("fc", o.Linear(4), b.input("x", (3,)))
    total = b.add("total", o.Add(), x)
    h = b.add("h", o.Activation("tanh"), total)
    b.extend("total", delayed(h))
    source = source_of(b.graph(h))
    for line in (
        "return (x.new_zeros(len(x), 4),)",
        "(h_before,) = state",
        "x = x + h_before",
        "x = torch.tanh(x)",
        "return x, (x,)",
        "output, state = self.step(x[:, t], state)",
    ):
        assert line.replace("output", "value") in source, line


class TestMetadata:
    META = {  # noqa: RUF012
        "mean": [1.5, 2.0, 0.25],
        "std": (2.0, 4.0, 0.5),
        "classes": ["cat", 'say "x"'],
        "trial": 7,
        "note": 'ends with "',
    }

    def test_constants_and_facts(self, loaded):
        graph = chain_image()
        module = loaded(source_of(graph, metadata=self.META))
        assert (module.MEAN, module.STD) == ((1.5, 2.0, 0.25), (2.0, 4.0, 0.5))
        assert module.CLASSES == ("cat", 'say "x"')
        assert module.INPUT_SHAPE == (3, 5, 4)
        assert "trial: 7" in module.__doc__
        assert "3 * 8" not in module.__doc__

    def test_prepare_normalizes_channels(self, loaded):
        module = loaded(source_of(chain_image(), metadata=self.META))
        x = torch.full((2, 3, 5, 4), 3, dtype=torch.uint8)
        prepared = module.prepare(x)
        assert prepared.dtype == torch.float32
        assert prepared[0, :, 0, 0].tolist() == [0.75, 0.25, 5.5]

    def test_features_are_normalized_too(self, loaded):
        b = Builder()
        graph = b.graph(b.add("fc", o.Linear(2), b.input("x", (3,))))
        module = loaded(source_of(graph, metadata=self.META))
        assert module.prepare(torch.full((1, 3), 3)).tolist() == [[0.75, 0.25, 5.5]]

    def test_standardized_outputs_are_read_in_their_unit(self, loaded):
        b = Builder()
        graph = b.graph(b.add("fc", o.Linear(2), b.input("x", (3,))))
        facts = {"targets": ["price", "age"], "target_mean": [10.0, 1.0], "target_std": [2.0, 0.5]}
        source = source_of(graph, metadata={**self.META, **facts})
        module = loaded(source)
        assert module.TARGETS == ("price", "age")
        assert module.read(torch.tensor([[1.0, -2.0]])).tolist() == [[12.0, 0.0]]
        assert "outputs = read(network(prepare(examples)))" in source

    def test_without_numbers_there_is_no_prepare(self):
        assert "prepare" not in source_of(chain_image())


def chain_image():
    b = Builder()
    x = b.add("conv", o.Conv(4), b.input("image", (3, 5, 4)))
    return b.graph(b.add("fc", o.Linear(2), b.add("pool", o.GlobalPool(), x)))


def test_an_open_graph_is_refused():
    with pytest.raises(UsageError, match="closed graph"):
        source_of(chain_of([("fc", OpenOperation(o.Linear, (("out", Pick("w")),)))]))


@pytest.mark.parametrize("is_recurrent", [False, True])
def test_it_runs_where_nasturtium_cannot_be_imported(random_graph, rng, tmp_path, is_recurrent):
    graph = random_graph(rng(5), is_recurrent=is_recurrent)
    network = build(graph)
    (tmp_path / "model.py").write_text(source_of(graph))
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    block = "import sys; sys.modules['nasturtium'] = None; "
    run = "import runpy; runpy.run_path('model.py', run_name='__main__')"
    result = subprocess.run(
        [sys.executable, "-I", "-c", block + run],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{graph.params:,} parameters\noutput for zeros: (1, ")
