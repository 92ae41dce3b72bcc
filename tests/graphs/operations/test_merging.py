import pytest

from nasturtium.errors import ShapeError
from nasturtium.graphs import operations as o


@pytest.mark.parametrize(("op", "sign"), [(o.Add(), "+"), (o.Multiply(), "*")])
def test_inputs_of_one_shape(op, sign):
    assert op.shape((2, 3, 3), (2, 3, 3)) == (2, 3, 3)
    assert op.symbol((2,), (2,), (2,)).source("a", "b", "c") == f"a {sign} b {sign} c"
    with pytest.raises(ShapeError, match="inputs of one shape"):
        op.shape((2, 3, 3), (1, 3, 3))
    with pytest.raises(ShapeError, match="inputs of one shape"):
        op.shape()


def test_concatenation_sums_channels():
    op = o.Concat()
    assert op.shape((2, 3, 3), (4, 3, 3)) == (6, 3, 3)
    assert op.shape((2,), (4,)) == (6,)
    assert op.symbol((2,), (4,)).source("a", "b") == "torch.cat([a, b], dim=1)"
    assert op.symbol((2,)).source("a") == "a"
    with pytest.raises(ShapeError, match="equal height and width"):
        op.shape((2, 3, 3), (2, 4, 3))


def test_only_sums_and_products_commute():
    assert o.Add.commutative
    assert o.Multiply.commutative
    assert not o.Concat.commutative
