"""Pareto fronts and the volume they dominate. Losses are minimized throughout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import UsageError

FloatArray = NDArray[np.float64]


def dominates(a: FloatArray, b: FloatArray) -> bool:
    """Return whether ``a`` is nowhere worse than ``b`` and somewhere better.

    Example:
        >>> dominates(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
        True
    """
    return bool(np.all(a <= b) and np.any(a < b))


def non_dominated(losses: FloatArray) -> NDArray[np.bool_]:
    """Return which points no other point dominates.

    Args:
        losses: Shape ``(n_points, n_objectives)``; a row with NaN is on no front.

    Returns:
        Mask of shape ``(n_points,)``; equal points are all on the front or all off it.

    Raises:
        UsageError: ``losses`` is not two-dimensional.

    Example:
        >>> non_dominated(np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 2.0], [4.0, 4.0]]))
        array([ True,  True,  True, False])
    """
    points = _table(losses)
    mask = np.zeros(len(points), dtype=np.bool_)
    # In lexicographic order a point can only be dominated by one that comes before it, so the
    # first one left is on the front; what it dominates goes.
    left = np.lexsort(points.T[::-1])
    left = left[~np.isnan(points[left]).any(axis=1)]
    while len(left):
        first, rest = points[left[0]], points[left[1:]]
        mask[left[0]] = True
        left = left[1:][(rest < first).any(axis=1) | (rest == first).all(axis=1)]
    return mask


def fronts(losses: FloatArray) -> NDArray[np.int64]:
    """Return each point's front: 0 for the Pareto front, 1 for the next, and so on.

    Args:
        losses: Shape ``(n_points, n_objectives)``; rows with NaN come last, in a front of their own.

    Returns:
        Ranks, shape ``(n_points,)``.

    Raises:
        UsageError: ``losses`` is not two-dimensional.

    Example:
        >>> fronts(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 0.0]]))
        array([0, 1, 0])
    """
    points = _table(losses)
    ranks = np.zeros(len(points), dtype=np.int64)
    left = np.arange(len(points))
    rank = 0
    while len(left):
        mask = non_dominated(points[left])
        if not mask.any():  # rows with NaN are all that is left
            mask[:] = True
        ranks[left[mask]] = rank
        left = left[~mask]
        rank += 1
    return ranks


def crowding_distance(losses: FloatArray) -> FloatArray:
    """Return how isolated each point of one Pareto front is.

    The two ends of every objective get ``inf`` so that selection keeps the extremes. Objectives
    are scaled by their range; the result has no unit.

    Args:
        losses: Losses of one front, shape ``(n_points, n_objectives)``, finite.

    Returns:
        Distances, shape ``(n_points,)``; larger means lonelier.

    Raises:
        UsageError: ``losses`` is not two-dimensional or not finite.

    Example:
        >>> crowding_distance(np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 2.0], [5.0, 1.0]]))
        array([ inf, 1.5 , 1.25,  inf])

    References:
        Deb et al. 2002, NSGA-II, section III-B.
    """
    points = _finite(losses)
    distances = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        distances[order[[0, -1]]] = np.inf
        spread = column[order[-1]] - column[order[0]]
        if spread > 0 and len(points) > 2:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distances


def ranking(losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows' numbers from the best to the worst.

    One objective: by loss. Several: by front, then the loneliest first (Deb et al. 2002). Ties go
    to the earlier row; rows with NaN come last.

    Args:
        losses: Shape ``(n, n_objectives)``.

    Returns:
        Permutation of shape ``(n,)``.

    Raises:
        UsageError: ``losses`` is not two-dimensional.

    Example:
        >>> ranking(np.array([[0.3], [0.1], [np.nan], [0.2]]))
        array([1, 3, 0, 2])
    """
    losses = _table(losses)
    if losses.shape[1] == 1:
        return np.argsort(losses[:, 0], kind="stable")
    ranks = fronts(losses)
    lonely = np.zeros(len(losses))
    for rank in range(int(ranks.max(initial=-1)) + 1):
        members = np.flatnonzero(ranks == rank)
        if not np.isnan(losses[members]).any():
            lonely[members] = crowding_distance(losses[members])
    return np.lexsort((np.arange(len(losses)), -lonely, ranks))


def hypervolume(losses: FloatArray, reference: FloatArray) -> float:
    """Return the volume that a set of points dominates below a reference point.

    Exact for any number of objectives, by slicing along the last one; points that do not dominate
    the reference add nothing. The unit is the product of the objectives' units.

    Args:
        losses: Shape ``(n_points, n_objectives)``.
        reference: Shape ``(n_objectives,)``.

    Raises:
        UsageError: A value is not finite, or the shapes do not fit.

    Example:
        >>> hypervolume(np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 2.0]]), np.array([6.0, 6.0]))
        15.0
    """
    points = _finite(losses)
    corner = np.asarray(reference, dtype=np.float64)
    if corner.shape != (points.shape[1],) or not np.isfinite(corner).all():
        raise UsageError(f"a reference has one finite value an objective, got {corner} for shape {points.shape}.")
    inside = points[(points < corner).all(axis=1)]
    return _sliced(inside[non_dominated(inside)], corner) if len(inside) else 0.0


def _sliced(points: FloatArray, corner: FloatArray) -> float:
    """Sum slabs of the last objective, each with the volume of what lies below it."""
    if points.shape[1] == 1:
        return float(corner[0] - points[:, 0].min())
    ordered = points[np.argsort(points[:, -1], kind="stable")]
    tops = np.append(ordered[1:, -1], corner[-1])
    total = 0.0
    for i, top in enumerate(tops):
        height = float(top - ordered[i, -1])
        if height > 0:
            below = ordered[: i + 1, :-1]
            total += height * _sliced(below[non_dominated(below)], corner[:-1])
    return total


def _table(losses: FloatArray) -> FloatArray:
    points = np.asarray(losses, dtype=np.float64)
    if points.ndim != 2:
        raise UsageError(f"losses have the shape (n_points, n_objectives), got shape {points.shape}; reshape them.")
    return points


def _finite(losses: FloatArray) -> FloatArray:
    points = _table(losses)
    if not np.isfinite(points).all():
        raise UsageError(f"losses are finite here, got {np.count_nonzero(~np.isfinite(points))} others; filter NaN.")
    return points
