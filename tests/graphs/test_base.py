"""Layers, expressions, and what every composite does."""

from dataclasses import dataclass

import pytest

from nasturtium.errors import ShapeError
from nasturtium.graphs import OPERATIONS, Builder, Composite, Expression, Layer, chain_of, delayed
from nasturtium.graphs import operations as o


def test_a_layer_is_written_with_its_arguments():
    layer = Layer("Conv2d", (3, 8, (1, 3)), (("padding", (0, 1)), ("bias", False)))
    assert layer.source() == "nn.Conv2d(3, 8, (1, 3), padding=(0, 1), bias=False)"


def test_an_expression_takes_numbered_and_all_inputs():
    assert Expression("{1} - {0}").source("a", "b") == "b - a"
    assert Expression("torch.cat([{all}])").source("a", "b", "c") == "torch.cat([a, b, c])"


def test_equal_composites_share_one_body():
    first, second = o.SepConv(8).opened((4, 6, 6)), o.SepConv(8).opened((4, 6, 6))
    assert first is second
    assert first is not o.SepConv(8).opened((5, 6, 6))


def test_a_composite_has_no_symbol():
    with pytest.raises(ShapeError, match="built from its body"):
        o.Conv(8).symbol((3, 4, 4))


@dataclass(frozen=True)
class Remembering(Composite):
    def body(self, *inputs):
        b = Builder()
        x = b.add("sum", o.Add(), b.input("x"))
        b.extend("sum", delayed(x))
        return b.graph(x)


@dataclass(frozen=True)
class TwoOutputs(Composite):
    def body(self, *inputs):
        b = Builder()
        x = b.input("x")
        return b.graph(x, b.add("again", o.Identity(), x))


@pytest.mark.parametrize("op", [Remembering(), TwoOutputs()], ids=lambda op: type(op).__name__)
def test_a_composite_with_memory_or_several_outputs_is_refused(op):
    with pytest.raises(ShapeError, match="one output and no memory"):
        op.shape((4,))


def test_costs_of_a_composite_are_those_of_its_body():
    op = o.Residual(8, stride=2)
    parts = op.opened((4, 8, 8)).infer((4, 8, 8))
    assert (op.shape((4, 8, 8)), op.params((4, 8, 8)), op.macs((4, 8, 8))) == (
        parts.outputs[0],
        parts.params,
        parts.flops,
    )


def test_arguments_are_the_fields():
    assert o.MaxPool(5, 2).arguments() == {"kernel": 5, "stride": 2}


def test_every_registered_operation_has_a_name_and_a_summary():
    for name, cls in OPERATIONS:
        assert OPERATIONS.name_of(cls) == name
        assert cls.__doc__
        assert not cls.__doc__.startswith(f"{cls.__name__}(")


def test_chain_of_names_its_parts():
    graph = chain_of([("first", o.Linear(3)), ("second", o.Activation())])
    assert [node.name for node in graph.nodes] == ["x", "first", "second"]
