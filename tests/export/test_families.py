"""Which classes there are, and what their constructors take."""

import pytest

from nasturtium.export._families import Collection, cell_name, summary_of
from nasturtium.export._parameters import arguments_of
from nasturtium.export._references import References
from nasturtium.graphs import Builder, chain_of
from nasturtium.graphs import operations as o


def families(graph):
    found = Collection(graph, References())
    return {family.name: family for family in found.families}


def chain(*parts, shape=(3, 16, 16)):
    b = Builder()
    x = b.input("image", shape)
    for name, op in parts:
        x = b.add(name, op, x)
    return b.graph(x)


def signature(family):
    return [p.name if p.default is None else f"{p.name}={p.default}" for p in family.parameters]


def test_one_class_for_all_blocks_of_a_kind():
    graph = chain(("a", o.Conv(8)), ("b", o.Conv(16, 5)), ("c", o.Conv(16, 3, 2)))
    found = families(graph)
    assert list(found) == ["Conv", "Network"]
    parameters = ["in_channels", "out_channels", "kernel_size", "padding", "stride=1"]
    assert signature(found["Conv"]) == parameters
    root = found["Network"]
    assert arguments_of(root, "a") == ["3", "8", "kernel_size=3", "padding=1"]
    assert arguments_of(root, "c") == ["16", "16", "kernel_size=3", "padding=1", "stride=2"]
    conv = arguments_of(found["Conv"], "conv")
    assert conv[:3] == ["in_channels", "out_channels", "kernel_size"]
    assert conv[3:] == ["stride=stride", "padding=padding", "bias=False"]


def test_other_structures_are_numbered():
    graph = chain(("a", o.Conv(8)), ("b", o.Conv(8, preactivated=True)), ("c", o.SepConv(8)))
    assert list(families(graph)) == ["Conv", "Conv2", "SepConv", "Network"]


def test_a_shared_cell_is_one_class_and_its_width_a_parameter():
    cell = chain_of([("one", o.Conv()), ("two", o.SepConv())])
    parts = [("cell_0", cell), ("grow", o.Conv2d(8)), ("cell_1", cell), ("cell_2", cell)]
    found = families(chain(*parts))
    assert list(found) == ["Conv", "SepConv", "Cell", "Network"]
    assert signature(found["Cell"]) == ["channels"]
    assert [arguments_of(found["Network"], name) for name in ("cell_0", "cell_2")] == [["3"], ["8"]]


def test_cells_of_equal_structure_and_other_constants_share_a_class():
    cells = [chain_of([("conv", o.Conv(n)), ("pool", o.MaxPool(k))]) for n, k in ((4, 3), (8, 5))]
    found = families(chain(("normal_1", cells[0]), ("normal_2", cells[1])))
    assert list(found) == ["Conv", "NormalCell", "Network"]
    parameters = ["in_channels", "out_channels", "kernel_size", "padding"]
    assert sorted(signature(found["NormalCell"])) == sorted(parameters)


def test_the_network_comes_last_even_if_a_cell_is_called_so():
    graph = chain(("network", chain_of([("fc", o.Conv2d(3))])))
    assert list(families(graph)) == ["NetworkCell", "Network"]


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("normal_3", "NormalCell"),
        ("cell", "Cell"),
        ("cell_1_2", "Cell"),
        ("residual_block_7", "ResidualBlock"),
        ("motif_2_1", "Motif"),
        ("_5", "Cell"),
    ],
)
def test_class_names(node, name):
    assert cell_name(node) == name


def test_summaries_are_the_first_lines():
    assert summary_of(o.Conv) == "Convolution, batch normalization and ReLU."
    assert summary_of(type("Plain", (), {})) == ""
