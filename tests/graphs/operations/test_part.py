import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import operations as o


def test_the_first_parts_have_one_channel_more():
    assert [o.Part(i, 3).shape((8, 5, 4)) for i in range(3)] == [(3, 5, 4), (3, 5, 4), (2, 5, 4)]
    slices = [o.Part(i, 3).symbol((8, 5, 4)).source("x") for i in range(3)]
    assert slices == ["x[:, 0:3]", "x[:, 3:6]", "x[:, 6:8]"]


def test_impossible_parts_are_refused():
    with pytest.raises(UsageError, match="0 <= index < n_parts, got 2 and 2"):
        o.Part(2, 2)
    with pytest.raises(ShapeError, match="at least 3 channels"):
        o.Part(0, 3).shape((2, 5, 4))


def test_features_have_parts_too():
    assert [o.Part(i, 2).shape((5,)) for i in range(2)] == [(3,), (2,)]
