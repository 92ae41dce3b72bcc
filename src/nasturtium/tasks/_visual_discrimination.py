"""Visual discrimination: find the larger of two squares.

Stanley, D'Ambrosio & Gauci 2009, section 4; trials and score as in the authors' program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 30.0
"""Score of a trial in which the guess is right; a squared distance is taken off."""


@final
@dataclass(frozen=True)
class VisualDiscrimination:
    """Images with a small and a large square; the most active output shall be the large one's middle.

    The small square, a pixel, stands at every place with odd coordinates. The large one, three by
    three, is half the field away from it in y, in x, or in both, around the edges, and moved inside.

    Args:
        size: Pixels of a side; 11 in the paper, where it makes 75 trials.

    Example:
        >>> task = VisualDiscrimination()
        >>> task.images.shape, task.best_score
        ((75, 121), 2250.0)
    """

    size: int = 11

    def __post_init__(self) -> None:
        """Check the size."""
        if self.size < 7 or self.size % 2 == 0:
            raise UsageError(f"size is an odd number from 7 on, got {self.size}; take 11, as the paper.")

    @cached_property
    def _squares(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """The (y, x) of the small square and of the large one's middle."""
        half = self.size // 2

        def moved(place: int) -> int:
            return int(np.clip((place + half) % self.size, 1, self.size - 2))

        found = []
        for y in range(1, self.size, 2):
            for x in range(1, self.size, 2):
                beside = ((moved(y), x), (y, moved(x)), (moved(y), moved(x)))
                found += [((y, x), middle) for middle in beside]
        return found

    @cached_property
    def images(self) -> NDArray[np.float64]:
        """The trials' images, row by row, shape ``(n_trials, size ** 2)``; pixels of squares are 1."""
        images = np.zeros((len(self._squares), self.size, self.size))
        for image, (small, (y, x)) in zip(images, self._squares, strict=True):
            image[small] = 1.0
            image[y - 1 : y + 2, x - 1 : x + 2] = 1.0
        return images.reshape(len(images), -1)

    @property
    def best_score(self) -> float:
        """The score of a network that is always right."""
        return POINTS * len(self._squares)

    def score(self, weights: NDArray[np.float64]) -> float:
        """Return the score of a network of two sheets: POINTS - d ** 2 a trial, not below 0.

        Args:
            weights: From each pixel to each output, shape ``(size ** 2, size ** 2)``. The activation
                rises, so that the most active output is that of the greatest sum; of several the
                first counts.
        """
        guesses = (self.images @ weights).argmax(axis=1)
        places = np.stack(np.divmod(guesses, self.size), axis=1)
        middles = np.array([middle for _, middle in self._squares])
        return float(np.maximum(POINTS - ((places - middles) ** 2).sum(axis=1), 0.0).sum())
