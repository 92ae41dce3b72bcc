import pytest

from nasturtium.errors import ShapeError
from nasturtium.graphs import operations as o


def test_its_shape_is_the_declared_one():
    assert o.Input((1, 2, 2)).shape() == (1, 2, 2)


@pytest.mark.parametrize(("op", "inputs"), [(o.Input(), ()), (o.Input((2,)), ((2,),))])
def test_no_inputs_and_a_declared_shape(op, inputs):
    with pytest.raises(ShapeError, match="no inputs and a declared shape"):
        op.shape(*inputs)


def test_its_formula_is_the_value():
    assert o.Input((2,)).symbol().source("x") == "x"
