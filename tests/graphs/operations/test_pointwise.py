import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o


@pytest.mark.parametrize("op", [o.Identity(), o.Zero(), o.BatchNorm(), o.Activation(), o.Dropout(0.1)])
@pytest.mark.parametrize("shape", [(5,), (5, 3, 2)])
def test_the_shape_stays(op, shape):
    assert op.shape(shape) == shape
    with pytest.raises(ShapeError, match="one input"):
        op.shape(shape, shape)


def test_normalization_follows_the_rank():
    assert o.BatchNorm().symbol((5, 3, 2)).source() == "nn.BatchNorm2d(5)"
    assert o.BatchNorm().symbol((5,)).source() == "nn.BatchNorm1d(5)"
    assert o.BatchNorm().params((5, 3, 2)) == 10


def test_scale_is_one_factor_a_channel():
    op = o.Scale()
    assert (op.params((5, 3, 2)), op.macs((5, 3, 2))) == (5, 30)
    with pytest.raises(ShapeError, match="channels, height, width"):
        op.shape((5,))


def test_a_mistyped_activation_gets_a_near_match():
    with pytest.raises(UsageError, match="unknown activation 'rellu'; did you mean 'relu'"):
        o.Activation("rellu")


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(UsageError, match=r"a rate is in \[0, 1\)"):
        o.Dropout(rate)
