"""The source of one class."""

import pytest

from nasturtium.export._class import class_source
from nasturtium.export._families import Collection
from nasturtium.export._references import References
from nasturtium.graphs import Builder, delayed
from nasturtium.graphs import operations as o


def written(graph, *, over_time=None):
    found = Collection(graph, References())
    over_time = graph.is_recurrent if over_time is None else over_time
    return {
        family.name: class_source(family, is_root=family is found.root.family, over_time=over_time)
        for family in found.families
    }


def test_a_block():
    b = Builder()
    graph = b.graph(b.add("block", o.Conv(4, 1), b.input("image", (3, 5, 5))))
    assert written(graph)["Conv"].splitlines() == [
        "class Conv(nn.Module):",
        '    """Convolution, batch normalization and ReLU."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        "        self.conv = nn.Conv2d(3, 4, 1, bias=False)",
        "        self.norm = nn.BatchNorm2d(4)",
        "",
        "    def forward(self, x):",
        "        x = self.conv(x)",
        "        x = self.norm(x)",
        "        return functional.relu(x)",
    ]


def test_the_network_says_where_shapes_change():
    b = Builder()
    x = b.add("pool", o.MaxPool(3, 2), b.input("image", (3, 8, 8)))
    x = b.add("relu", o.Activation(), x)
    source = written(b.graph(b.add("end", o.GlobalPool(), x), x))["Network"]
    assert "x = self.pool(x)  # (3, 4, 4)" in source
    assert "x = functional.relu(x)\n" in source
    assert "end = x.mean((2, 3))  # (3,)" in source


def test_a_module_that_nothing_reads_is_marked():
    b = Builder()
    x = b.input("x", (3,))
    b.add("dead", o.Linear(2), x)
    source = written(b.graph(b.add("fc", o.Linear(2), x)))["Network"]
    assert "self.dead = nn.Linear(3, 2)  # nothing reads it" in source
    assert "self.dead(" not in source


def test_without_layers_there_is_no_constructor():
    b = Builder()
    source = written(b.graph(b.add("relu", o.Activation(), b.input("x", (3,)))))["Network"]
    assert "__init__" not in source


def recurrent(n_outputs):
    inner = Builder()
    total = inner.add("total", o.Add(), inner.input("x"))
    inner.extend("total", delayed(total))
    b = Builder()
    y = b.add("cell", inner.graph(total), b.input("x", (3,)))
    z = b.add("sum", o.Add(), y)
    b.extend("sum", delayed(z))
    return b.graph(*[y, z][-n_outputs:])


@pytest.mark.parametrize(
    ("n_outputs", "lines"),
    [
        (1, ["value, state = self.step(x[:, t], state)", "return torch.stack(steps, dim=1)"]),
        (2, ["*values, state = self.step(x[:, t], state)", "for values in zip(*steps))"]),
    ],
)
def test_recurrent_levels(n_outputs, lines):
    found = written(recurrent(n_outputs))
    assert "def forward(self, x, state):" in found["Cell"]
    assert "return (x.new_zeros(len(x), 3),)" in found["Cell"]
    root = found["Network"]
    assert "return (x.new_zeros(len(x), 3), self.cell.initial_state(x))" in root
    assert "sum_before, cell_state = state" in root
    for line in lines:
        assert line in root


def test_over_time_without_memory():
    b = Builder()
    graph = b.graph(b.add("fc", o.Linear(2), b.input("x", (3,))))
    source = written(graph, over_time=True)["Network"]
    assert "value = self.step(x[:, t])" in source
    assert "state" not in source
