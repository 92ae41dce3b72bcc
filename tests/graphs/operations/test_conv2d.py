import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o


def test_source_names_only_what_differs_from_the_default():
    assert o.Conv2d(8, 1, bias=True).symbol((3, 4, 4)).source() == "nn.Conv2d(3, 8, 1)"
    deep = o.Conv2d(None, 3, stride=2, dilation=2, groups=0).symbol((6, 8, 8)).source()
    assert deep == "nn.Conv2d(6, 6, 3, stride=2, padding=2, dilation=2, groups=6, bias=False)"


@pytest.mark.parametrize(
    "arguments",
    [{"kernel": 2}, {"kernel": 0}, {"kernel": (3, 2)}, {"stride": 0}, {"out": 0}, {"groups": -1}],
)
def test_bad_hyperparameters_are_refused(arguments):
    with pytest.raises(UsageError):
        o.Conv2d(**{"out": 4, **arguments})


def test_channels_must_divide_into_the_groups():
    with pytest.raises(ShapeError, match="channels divisible by 4 groups"):
        o.Conv2d(8, groups=4).shape((6, 4, 4))
    with pytest.raises(ShapeError, match="channels divisible by 3 groups"):
        o.Conv2d(8, groups=0).shape((3, 4, 4))
