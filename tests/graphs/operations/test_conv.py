import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o

SHAPE = (4, 9, 8)


def parts(op, shape=SHAPE):
    return [node.name for node in op.opened(shape).nodes][1:]


@pytest.mark.parametrize("kind", [o.Conv, o.SepConv, o.FactorizedConv])
def test_relu_comes_first_or_last(kind):
    assert parts(kind(8))[-1] == "relu"
    assert parts(kind(8, preactivated=True))[0] == "relu"
    assert parts(kind(8, preactivated=True))[-1] == "norm"


@pytest.mark.parametrize(
    "op",
    [
        o.Conv(8, 5, 2),
        o.Conv(8, (1, 3), 2),
        o.SepConv(8, 5, 2),
        o.SepConv(8, 3, 2, dilation=2, repeats=3),
        o.FactorizedConv(8, 7, 2),
        o.Reduce(8),
        o.Residual(8, stride=2),
    ],
)
def test_stride_halves_odd_and_even_sides(op):
    assert op.shape(SHAPE) == (8, 5, 4)


@pytest.mark.parametrize("op", [o.Conv(), o.SepConv(), o.FactorizedConv(), o.Residual()])
def test_without_out_the_shape_stays(op):
    assert op.shape(SHAPE) == SHAPE


def test_repeated_separable_convolutions_widen_at_the_end():
    op = o.SepConv(8, repeats=2)
    shapes = op.opened(SHAPE).infer(SHAPE).shapes
    assert (shapes["pointwise1"], shapes["pointwise2"]) == ((4, 9, 8), (8, 9, 8))


def test_a_residual_block_projects_only_if_it_must():
    assert "around" not in parts(o.Residual())
    assert "around" not in parts(o.Residual(4))
    assert "around" in parts(o.Residual(8))
    assert "around" in parts(o.Residual(stride=2))


def test_costs_of_a_convolution_block():
    op = o.Conv(8, 3)
    assert op.params((3, 5, 5)) == 3 * 8 * 9 + 2 * 8
    assert op.macs((3, 5, 5)) == 3 * 8 * 9 * 25


def test_bad_hyperparameters_are_refused():
    with pytest.raises(UsageError, match="repeats is at least 1, got 0"):
        o.SepConv(repeats=0)
    with pytest.raises(UsageError, match="side is odd and positive, got kernel=4"):
        o.Conv(8, 4).shape(SHAPE)
    with pytest.raises(ShapeError, match="conv needs one input"):
        o.Conv(8).shape((4,))
