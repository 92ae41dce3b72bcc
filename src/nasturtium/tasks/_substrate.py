"""Substrates: sheets of neurons whose connections a function of their places generates.

Stanley, D'Ambrosio & Gauci 2009, "A Hypercube-Based Encoding for Evolving Large-Scale Neural
Networks", Artificial Life 15(2); constants as in the authors' program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.2
"""Where a pattern's size is no more than that, there is no connection."""


@final
@dataclass(frozen=True)
class Sheets:
    """A source sheet and a target sheet of the same size, all sources connected to all targets.

    The state-space sandwich of the paper. Places are in [-1, 1] in both directions, so that the same
    pattern serves sheets of any size.

    Args:
        size: Neurons on each side.
        greatest: Size of the greatest weight.

    Example:
        >>> Sheets(3).places().T.tolist()[:4]
        [[-1.0, -1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 0.0]]
    """

    size: int = 11
    greatest: float = 3.0

    def __post_init__(self) -> None:
        """Check size and weight."""
        if self.size < 2 or not self.greatest > 0:
            raise UsageError(f"size is at least 2 and greatest positive, got {self}; raise them.")

    def places(self) -> NDArray[np.float64]:
        """Return x and y of each neuron, row by row, shape ``(2, size ** 2)``."""
        line = np.linspace(-1.0, 1.0, self.size)
        y, x = np.meshgrid(line, line, indexing="ij")
        return np.stack((x.ravel(), y.ravel()))

    def queries(self) -> tuple[NDArray[np.float64], ...]:
        """Return x1, y1 of the source and x2, y2 of the target of every pair, shape ``(size ** 4,)`` each."""
        places = self.places()
        n = places.shape[1]
        x1, y1 = np.repeat(places, n, axis=1)
        x2, y2 = np.tile(places, n)
        return x1, y1, x2, y2

    def weights(self, pattern: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights that a pattern expresses, shape ``(n_sources, n_targets)``.

        Args:
            pattern: What a function gives for ``queries``, shape ``(size ** 4,)``.
        """
        return expressed(pattern, self.greatest).reshape(self.size**2, self.size**2)


def expressed(pattern: NDArray[np.float64], greatest: float = 3.0) -> NDArray[np.float64]:
    """Return weights: zero up to the threshold, rising to the greatest where the pattern is 1.

    Args:
        pattern: Numbers of any shape; beyond 1 they count as 1.
        greatest: Size of the greatest weight.

    Example:
        >>> expressed(np.array([0.2, 1.0, 0.6, -0.6])).round(6).tolist()
        [0.0, 3.0, 1.5, -1.5]
    """
    size = np.clip((np.abs(pattern) - THRESHOLD) / (1 - THRESHOLD), 0.0, 1.0)
    return np.asarray(np.sign(pattern) * size * greatest)
