"""Fronts, crowding and hypervolume against published numbers and brute force."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nasturtium.errors import UsageError
from nasturtium.trials import (
    crowding_distance,
    dominates,
    fronts,
    hypervolume,
    non_dominated,
    ranking,
)

EXAMPLE = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 2.0]])
SMALL = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 5))


def brute_force_front(points):
    return np.array([not any(dominates(q, p) for q in points) for p in points])


def inclusion_exclusion(points, corner):
    """Return the hypervolume by the volumes of all intersections of boxes."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            sides = np.clip(corner - np.max(chosen, axis=0), 0, None)
            total -= (-1) ** size * sides.prod()
    return total


def test_a_point_dominates_if_nowhere_worse_and_somewhere_better():
    assert dominates(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    assert not dominates(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    assert not dominates(np.array([0.0, 3.0]), np.array([1.0, 2.0]))


@given(SMALL)
@settings(deadline=None, max_examples=100)
def test_front_equals_brute_force(points):
    assert (non_dominated(points) == brute_force_front(points)).all()


def test_front_of_nothing_is_empty():
    assert non_dominated(np.zeros((0, 2))).tolist() == []
    assert fronts(np.zeros((0, 2))).tolist() == []
    assert ranking(np.zeros((0, 1))).tolist() == []


def test_equal_points_are_on_the_front_together():
    points = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0], [2.0, 2.0]])
    assert non_dominated(points).tolist() == [True, True, False, False]


def test_rows_with_nan_are_on_no_front():
    points = np.array([[np.nan, 0.0], [1.0, 1.0], [0.0, np.nan]])
    assert non_dominated(points).tolist() == [False, True, False]
    assert fronts(points).tolist() == [1, 0, 1]


@given(SMALL)
@settings(deadline=None, max_examples=50)
def test_every_front_is_dominated_by_the_one_before(points):
    ranks = fronts(points)
    for rank in range(1, ranks.max() + 1):
        for p in points[ranks == rank]:
            assert any(dominates(q, p) for q in points[ranks == rank - 1])


def test_crowding_distance_of_the_published_example():
    # methods F2: (1,5), (2,3), (4,2), (5,1) give inf, 1.5, 1.25, inf.
    points = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 2.0], [5.0, 1.0]])
    assert crowding_distance(points).tolist() == [np.inf, 1.5, 1.25, np.inf]


def test_crowding_distance_of_few_or_equal_points():
    assert crowding_distance(np.array([[1.0, 1.0]])).tolist() == [np.inf]
    assert crowding_distance(np.array([[1.0, 2.0], [2.0, 1.0]])).tolist() == [np.inf, np.inf]
    middle = crowding_distance(np.ones((4, 2)))
    assert np.isfinite(middle).sum() == 2


@pytest.mark.parametrize("function", [non_dominated, fronts, ranking, crowding_distance])
def test_losses_are_a_table(function):
    with pytest.raises(UsageError, match=r"shape \(n_points, n_objectives\), got shape \(3,\)"):
        function(np.ones(3))


@pytest.mark.parametrize("losses", [np.array([[1.0, np.nan]]), np.array([[np.inf]])])
def test_crowding_distance_refuses_what_is_not_finite(losses):
    with pytest.raises(UsageError, match="losses are finite here"):
        crowding_distance(losses)


def test_ranking_is_by_loss_with_ties_to_the_earlier_and_nan_last():
    losses = np.array([[0.3], [0.1], [np.nan], [0.1], [0.2]])
    assert ranking(losses).tolist() == [1, 3, 4, 0, 2]


def test_ranking_of_two_objectives_is_by_front_then_loneliness():
    losses = np.array([[3.0, 3.0], [1.0, 5.0], [2.0, 3.0], [4.0, 2.0], [5.0, 1.0], [np.nan, 0.0]])
    assert ranking(losses).tolist() == [1, 4, 2, 3, 0, 5]


def test_hypervolume_of_the_published_example():
    # methods F1: {(1,5), (2,3), (4,2)} with the reference (6,6) covers 15.
    assert hypervolume(EXAMPLE, np.array([6.0, 6.0])) == 15


def test_hypervolume_ignores_order_dominated_points_and_points_beyond_the_reference():
    more = np.array([[4.0, 2.0], [7.0, 0.0], [5.0, 5.0], [1.0, 5.0], [2.0, 3.0], [2.0, 3.0]])
    assert hypervolume(more, np.array([6.0, 6.0])) == 15
    assert hypervolume(more, np.array([1.0, 1.0])) == 0
    assert hypervolume(np.zeros((0, 2)), np.array([1.0, 1.0])) == 0


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_hypervolume_equals_inclusion_and_exclusion(n_objectives, seed):
    points = np.random.default_rng(seed).random((8, n_objectives))
    corner = np.full(n_objectives, 0.9)
    assert hypervolume(points, corner) == pytest.approx(inclusion_exclusion(points, corner))


def test_hypervolume_equals_the_share_of_random_points_that_are_dominated():
    rng = np.random.default_rng(0)
    points = rng.random((30, 3))
    darts = rng.random((100_000, 3))
    share = (points[:, None] <= darts[None]).all(-1).any(0).mean()
    assert hypervolume(points, np.ones(3)) == pytest.approx(share, abs=0.005)


def test_hypervolume_grows_with_every_point_and_scales_with_the_units():
    rng = np.random.default_rng(1)
    points = rng.random((10, 3))
    volumes = [hypervolume(points[:n], np.ones(3)) for n in range(1, 11)]
    assert volumes == sorted(volumes)
    scaled = hypervolume(points * [1, 10, 100], np.array([1.0, 10.0, 100.0]))
    assert scaled == pytest.approx(1000 * volumes[-1])


@pytest.mark.parametrize("reference", [np.ones(3), np.array([1.0, np.inf])])
def test_hypervolume_refuses_another_reference(reference):
    with pytest.raises(UsageError, match="one finite value an objective"):
        hypervolume(EXAMPLE, reference)
