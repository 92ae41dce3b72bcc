import pytest

from nasturtium.graphs import operations as o


@pytest.mark.parametrize("sides", [(8, 8), (7, 8), (9, 5), (1, 1)])
def test_both_ways_halve_every_side(sides):
    op = o.ResidualReduction(6)
    assert op.shape((4, *sides)) == (6, *((side + 1) // 2 for side in sides))


def test_even_images_are_averaged_over_disjoint_windows():
    pools = [o.ResidualReduction().opened((4, *sides)).by_name["around_pool"].op for sides in ((8, 8), (8, 7))]
    assert pools == [o.AvgPool(2, 2), o.AvgPool(3, 2)]


def test_costs_are_those_of_the_benchmarks_reduction():
    # methods A8: 18 c^2 + 36 c^2 + 2 c^2 + 8 c from c to 2 c channels.
    assert o.ResidualReduction(32).params((16, 32, 32)) == 56 * 16**2 + 8 * 16
