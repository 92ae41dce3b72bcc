"""The micro search space of ENAS (Pham et al. 2018)."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import EnasMicro
from nasturtium.testing import Shapes

NORMAL = [0, 2, 0, 0, 0, 4, 0, 1, 0, 4, 1, 1, 1, 0, 0, 1, 0, 2, 1, 1]
REDUCTION = [1, 0, 1, 0, 0, 3, 0, 2, 1, 1, 3, 1, 1, 0, 0, 4, 0, 3, 1, 1]


def test_size():
    # 5 operations twice and two of k states a block: 5**10 * (2 * 3 * 4 * 5 * 6)**2 a cell.
    assert EnasMicro().size == (5**10 * 720**2) ** 2


def test_two_reductions_stand_among_the_normal_cells():
    space = EnasMicro(cells=15, filters=4).on(Shapes((3, 32, 32), 10))
    names = list(space.graph(space.genotype(NORMAL, REDUCTION)).by_name)
    cells = [name for name in names if name.startswith(("normal", "reduction"))]
    assert [cells.index(name) for name in cells if name.startswith("reduction")] == [5, 11]
    assert len(cells) == 17


def test_the_encoding_of_the_authors():
    space = EnasMicro(cells=3, filters=4).on(Shapes((3, 32, 32), 10))
    a = space.genotype(NORMAL, REDUCTION)
    assert [a[f"normal.0.{key}"] for key in ("left", "left_op", "right", "right_op")] == [
        0,
        "avg_pool_3",
        0,
        "sep_conv_3",
    ]
    assert a["reduction.2.left"] == 1
    assert a["reduction.2.right"] == 3
    # Nothing reads the five blocks of the normal cell; a block of the reduction cell reads the one before it.
    shapes = space.graph(a).shapes
    assert shapes["normal_0"][0] == 5 * 4
    assert shapes["reduction_1"][0] == 4 * 8


@pytest.mark.parametrize("numbers", [[0, 5, 0, 0], [0, 1, 0]])
def test_a_wrong_encoding_is_refused(numbers):
    with pytest.raises(UsageError, match="pairs of a state and an operation"):
        EnasMicro(blocks=1).genotype(numbers, numbers)
