"""Visual discrimination: find the larger of two squares, with weights that a pattern generates.

Stanley, D'Ambrosio & Gauci 2009, section 4; trials and score as in the authors' program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.tasks._problem import Problem, of_arrays
from nasturtium.tasks._sources import TASKS, TaskSource
from nasturtium.tasks._substrate import Sheets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture, Genomes

POINTS = 30.0
"""Score of a trial in which the guess is right; a squared distance is taken off."""


@final
@dataclass(frozen=True)
class Fields:
    """Images with a small and a large square; the most active output shall be the large one's middle.

    The small square, a pixel, stands at every place with odd coordinates. The large one, three by
    three, is half the field away from it in y, in x, or in both, around the edges, and moved inside.

    Args:
        size: Pixels of a side; 11 in the paper, where it makes 75 trials.

    Example:
        >>> fields = Fields()
        >>> fields.images.shape, fields.best_score
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


LARGE = 33
"""Side of the fields on which the pattern that was found is tested."""


@final
@dataclass(frozen=True, kw_only=True)
class VisualDiscrimination(Problem):
    """A pattern over places generates the 14,641 weights between two sheets, which are judged.

    The network that evolves is the pattern: it sees the places x1, y1 of a source and x2, y2 of a
    target, and how far they are apart in x and in y. The error is what the score lacks to the best
    one. The test is the same pattern on fields of nine times as many pixels.

    Args:
        size: Pixels of a field's side.

    References:
        Stanley, D'Ambrosio & Gauci 2009, Artificial Life 15(2):185-212, section 4.
    """

    size: int = 11

    name: ClassVar[str] = "visual-discrimination"
    input_shape: ClassVar[tuple[int, ...]] = (6,)
    space: ClassVar[str] = "neurons(hidden=('tanh', 'gaussian', 'sine', 'absolute', 'linear'), output='tanh', bias=0.3)"
    n_test: ClassVar[int] = 768

    def __post_init__(self) -> None:
        """Check the size."""
        Fields(self.size)

    def score(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error."""
        return {"error": error(space, architecture, self.size)}

    def test(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error of the same pattern on larger fields."""
        return {"test_error": error(space, architecture, LARGE)}


def error(space: Genomes, architecture: Architecture, size: int) -> float:
    """Return the share of the best score that a pattern's sheets of some size lack."""
    fields, sheets, places = _world(size)
    circuit, bias = of_arrays(space, architecture, size**4)
    pattern = circuit.step((*places, *bias))[0][0]
    weights = sheets.weights(np.broadcast_to(pattern, places[0].shape))
    return 1 - fields.score(weights) / fields.best_score


@lru_cache(maxsize=4)
def _world(size: int) -> tuple[Fields, Sheets, tuple[NDArray[np.float64], ...]]:
    sheets = Sheets(size)
    x1, y1, x2, y2 = sheets.queries()
    return Fields(size), sheets, (x1, y1, x2, y2, x2 - x1, y2 - y1)


@TASKS.register("visual-discrimination")
@final
@dataclass(frozen=True)
class VisualDiscriminationSource(TaskSource):
    """Which of two squares is larger, for patterns that evolve.

    Args:
        size: Pixels of a field's side; an odd number from 7 on.
    """

    size: int = 11

    def load(self) -> VisualDiscrimination:
        """Return the problem."""
        return VisualDiscrimination(size=self.size)
