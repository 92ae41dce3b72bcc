"""What the constructors of generated classes take."""

from nasturtium.export._families import Collection
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


def test_what_is_always_equal_is_a_constant():
    found = families(chain(("a", o.Conv(8)), ("b", o.Conv(16))))
    assert signature(found["Conv"]) == ["in_channels", "out_channels"]
    single = families(chain(("a", o.Conv(8))))
    assert signature(single["Conv"]) == []
    assert arguments_of(single["Network"], "a") == []


def test_one_number_of_channels_is_called_so():
    found = families(chain(("a", o.Conv(3)), ("b", o.Conv2d(8)), ("c", o.Conv(8))))
    assert signature(found["Conv"]) == ["channels"]


def test_equal_names_of_two_constants_are_told_apart():
    cells = [chain_of([("a", o.MaxPool(k)), ("b", o.AvgPool(n))]) for k, n in ((3, 5), (5, 3), (3, 3))]
    found = families(chain(*((f"cell_{i}", cell) for i, cell in enumerate(cells))))
    assert signature(found["Cell"])[0] == "a_kernel_size"
    assert "b_kernel_size" in signature(found["Cell"])


def test_options_that_a_layer_leaves_out_have_their_default():
    found = families(chain(("a", o.Conv(3, 1)), ("b", o.Conv(3, 3, 2))))
    assert signature(found["Conv"]) == ["kernel_size", "stride=1", "padding=0"]
    assert arguments_of(found["Network"], "a") == ["kernel_size=1"]
    assert arguments_of(found["Network"], "b") == ["kernel_size=3", "stride=2", "padding=1"]


def test_parameters_of_inner_classes_are_handed_through():
    cells = [chain_of([("block", chain_of([("conv", o.Conv(n))]))]) for n in (4, 8)]
    found = families(chain(("cell_1", cells[0]), ("cell_2", cells[1])))
    for name in ("Conv", "Block", "Cell"):
        assert signature(found[name]) == ["in_channels", "out_channels"], name
    assert arguments_of(found["Cell"], "block") == ["in_channels", "out_channels"]
    assert arguments_of(found["Network"], "cell_2") == ["4", "8"]


def test_channels_and_sides_do_not_mix_even_if_the_numbers_agree():
    graph = chain(("a", o.Conv(3, 3)), ("b", o.Conv2d(5, 1)), ("c", o.Conv(5, 5)))
    assert signature(families(graph)["Conv"]) == ["channels", "kernel_size", "padding"]
