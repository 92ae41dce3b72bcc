import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o


def test_costs_and_source():
    op = o.Linear(3)
    assert (op.params((5,)), op.macs((5,))) == (18, 15)
    assert op.symbol((5,)).source() == "nn.Linear(5, 3)"
    assert o.Linear(3, bias=False).params((5,)) == 15


def test_at_least_one_output():
    with pytest.raises(UsageError, match="at least one output, got out=0"):
        o.Linear(0)


def test_the_shape_is_known_before_the_input():
    assert o.Linear(3).shape() == (3,)


@pytest.mark.parametrize(
    ("op", "inputs", "message"),
    [
        (o.Linear(3), ((2, 4, 4),), "an input"),
        (o.Linear(), ((4,),), "out=, or a space bound to a task"),
    ],
)
def test_what_does_not_fit_is_refused(op, inputs, message):
    with pytest.raises(ShapeError, match=message):
        op.shape(*inputs)


def test_costs_need_the_input():
    with pytest.raises(ShapeError, match="one input"):
        o.Linear(3).params()


def test_flatten():
    assert o.Flatten().shape((2, 3, 4)) == (24,)
    assert o.Flatten().symbol((2, 3, 4)).source() == "nn.Flatten()"
