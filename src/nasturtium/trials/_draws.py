"""What the best of some random draws is worth, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def chances_of_best(n: int, n_drawn: int) -> NDArray[np.float64]:
    """Return each rank's chance to be the best of draws without replacement, shape ``(n,)``.

    The chance of the i-th best is C(n - 1 - i, n_drawn - 1) / C(n, n_drawn), computed as a product so
    that nothing overflows.

    Args:
        n: What is drawn from, at least 1.
        n_drawn: Number of draws, in [1, n].

    Example:
        >>> chances_of_best(3, 2).round(4).tolist()
        [0.6667, 0.3333, 0.0]
    """
    i = np.arange(n - 1)
    ratios = np.maximum(n - n_drawn - i, 0) / (n - 1 - i)
    return np.asarray(n_drawn / n * np.concatenate([[1.0], np.cumprod(ratios)]))
