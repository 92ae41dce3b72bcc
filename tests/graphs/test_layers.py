from itertools import combinations, pairwise

import numpy as np
import pytest

from nasturtium.graphs._layers import GAP, RISE, layered, n_bends, spread

BOX = (40.0, 20.0)


def boxes(placement, sizes):
    for (x, y), (width, height) in zip(placement.centers, sizes, strict=True):
        yield x - width / 2, y - height / 2, x + width / 2, y + height / 2


def random_links(n, rng):
    return [(a, b) for a, b in combinations(range(n), 2) if rng.random() < 0.25]


@pytest.mark.parametrize("seed", range(20))
def test_boxes_never_overlap_and_links_run_downward(seed):
    rng = np.random.default_rng(seed)
    sizes = [(float(w), float(h)) for w, h in rng.integers(10, 90, (12, 2))]
    links = random_links(12, rng)
    placed = layered(sizes, links)
    for a, b in combinations(boxes(placed, sizes), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for left, top, right, bottom in boxes(placed, sizes):
        assert min(left, top) >= -0.01
        assert right <= placed.width + 0.01
        assert bottom <= placed.height + 0.01
    for (source, target), route in zip(links, placed.routes, strict=True):
        assert all(upper[1] < lower[1] for upper, lower in pairwise(route))
        x, y = placed.centers[source]
        assert route[0] == (x, y + sizes[source][1] / 2)
        assert abs(route[-1][0] - placed.centers[target][0]) <= sizes[target][0] / 2
        assert route[-1][1] == placed.centers[target][1] - sizes[target][1] / 2


def test_a_chain_is_a_straight_column():
    placed = layered([BOX] * 3, [(0, 1), (1, 2)])
    assert placed.centers == ((20.0, 10.0), (20.0, 30.0 + RISE), (20.0, 50.0 + 2 * RISE))
    assert (placed.width, placed.height) == (40.0, 60.0 + 2 * RISE)


def test_siblings_stand_side_by_side_below_their_source():
    placed = layered([BOX] * 3, [(0, 1), (0, 2)])
    (x0, _), (x1, y1), (x2, y2) = placed.centers
    assert y1 == y2
    assert abs(x2 - x1) == 40.0 + GAP
    assert x0 == (x1 + x2) / 2


def test_a_long_link_passes_beside_the_boxes_between():
    placed = layered([BOX] * 4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    x, _ = placed.centers[1]
    passing = [point[0] for point in placed.routes[3][1:-1]]
    assert all(abs(p - x) >= 20.0 + GAP / 2 for p in passing)
    assert len(set(passing)) == 1


def test_an_avoidable_crossing_is_avoided():
    placed = layered([BOX] * 4, [(0, 3), (1, 2)])
    order = sorted((x, i) for i, (x, y) in enumerate(placed.centers) if y > 20)
    above = sorted((x, i) for i, (x, y) in enumerate(placed.centers) if y < 20)
    ends = {0: 3, 1: 2}
    assert [ends[i] for _, i in above] == [i for _, i in order]


def test_links_arrive_side_by_side():
    placed = layered([BOX] * 2, [(0, 1), (0, 1)])
    assert len({route[-1] for route in placed.routes}) == 2


def test_nothing_gives_an_empty_layout():
    assert layered([], []).centers == ()
    assert layered([BOX], []).centers == ((20.0, 10.0),)


def test_bends_count_the_layers_passed():
    assert n_bends(4, [(0, 1), (1, 2), (2, 3), (0, 3)]) == 2


def test_spread_leaves_what_fits_and_shares_the_rest_by_weight():
    assert spread([0.0, 100.0], [10.0, 10.0], [1.0, 1.0]) == [0.0, 100.0]
    assert spread([0.0, 0.0], [10.0, 10.0], [1.0, 3.0]) == pytest.approx([-7.5, 2.5])
    assert spread([], [], []) == []
