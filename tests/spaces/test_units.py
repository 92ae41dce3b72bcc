"""The units of a network."""

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.spaces._units import units_of


def names(units):
    return [[node.name for node in unit.nodes] for unit in units]


def test_a_plain_network_is_cut_behind_every_layer():
    b = Builder()
    x = b.add("one", o.Conv2d(8), b.input("image", (3, 8, 8)))
    x = b.add("relu", o.Activation(), b.add("norm", o.BatchNorm(), x))
    x = b.add("two", o.Conv2d(8), x)
    x = b.add("pool", o.MaxPool(3, 2), x)
    units = units_of(b.graph(b.add("head", o.Linear(10), b.add("mean", o.GlobalPool(), x))))
    assert names(units) == [["one", "norm", "relu"], ["two"], ["pool"], ["mean"], ["head"]]
    assert [unit.entry for unit in units] == ["image", "relu", "two", "pool", "mean"]
    assert [unit.is_repeatable for unit in units] == [False, True, False, False, False]


def test_nothing_is_cut_while_a_second_value_is_alive():
    b = Builder()
    image = b.input("image", (3, 8, 8))
    x = b.add("one", o.Conv2d(8), image)
    y = b.add("two", o.Conv2d(8), x)
    z = b.add("three", o.Conv2d(8), b.add("sum", o.Add(), x, y))
    around = b.add("around", o.Conv2d(8), image)
    units = units_of(b.graph(b.add("end", o.Add(), z, around)))
    assert names(units) == [["one", "two", "sum", "three", "around", "end"]]


def test_a_preactivated_block_is_one_unit():
    b = Builder()
    x = b.add("stem", o.Conv2d(8), b.input("image", (3, 8, 8)))
    y = b.add("conv", o.Conv2d(8), b.add("relu", o.Activation(), b.add("norm", o.BatchNorm(), x)))
    units = units_of(b.graph(b.add("sum", o.Add(), x, y)))
    assert names(units) == [["stem"], ["norm", "relu", "conv", "sum"]]
    assert units[1].is_repeatable
