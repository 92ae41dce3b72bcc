import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o

POOLS = [o.MaxPool, o.AvgPool]


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize(
    ("kernel", "stride", "sides"),
    [(3, 1, (9, 8)), (3, 2, (5, 4)), (2, 2, (4, 4)), (2, 1, (8, 7)), (7, 3, (3, 3))],
)
def test_sides(kind, kernel, stride, sides):
    assert kind(kernel, stride).shape((4, 9, 8)) == (4, *sides)


@pytest.mark.parametrize("kind", POOLS)
def test_an_image_smaller_than_the_window_is_refused(kind):
    assert kind(3).shape((4, 1, 1)) == (4, 1, 1)
    with pytest.raises(ShapeError, match="at least as large as its window"):
        kind(2).shape((4, 1, 1))


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("arguments", [(0, 1), (3, 0)])
def test_bad_hyperparameters_are_refused(kind, arguments):
    with pytest.raises(UsageError, match="kernel and stride are positive"):
        kind(*arguments)


def test_global_pool():
    assert o.GlobalPool().shape((4, 9, 8)) == (4,)
    with pytest.raises(ShapeError, match="channels, height, width"):
        o.GlobalPool().shape((4,))
