import pytest

from nasturtium.graphs import operations as o


@pytest.mark.parametrize("op", [o.Projection(), o.Projection(4)])
def test_where_the_shape_stays_it_is_the_identity(op):
    assert op.shape((4, 7, 5)) == (4, 7, 5)
    assert op.params((4, 7, 5)) == op.macs((4, 7, 5)) == 0


@pytest.mark.parametrize(("op", "shape"), [(o.Projection(6), (6, 7, 5)), (o.Projection(stride=2), (4, 4, 3))])
def test_elsewhere_it_is_a_normalized_1x1_convolution(op, shape):
    assert op.shape((4, 7, 5)) == shape
    assert op.params((4, 7, 5)) == 4 * shape[0] + 2 * shape[0]
