"""Visual discrimination (Stanley et al. 2009): the trials, and who is right in all of them."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.tasks._substrate import Sheets
from nasturtium.tasks._visual_discrimination import VisualDiscrimination


def bump(size, width):
    """Return the weights of a pattern built by hand: neurons excite those near their own place."""
    sheets = Sheets(size)
    x1, y1, x2, y2 = sheets.queries()
    return sheets.weights(np.exp(-((x1 - x2) ** 2 + (y1 - y2) ** 2) / width**2))


@pytest.mark.parametrize("width", [0.2, 0.3, 0.5])
def test_a_pattern_built_by_hand_is_always_right(width):
    # methods B4, check (b).
    assert VisualDiscrimination().score(bump(11, width)) == 2_250


@pytest.mark.parametrize("size", [9, 21, 33])
def test_the_same_pattern_serves_other_sizes(size):
    task = VisualDiscrimination(size)
    assert task.score(bump(size, 0.3)) == task.best_score


def test_trials_of_the_paper():
    task = VisualDiscrimination()
    images = task.images.reshape(75, 11, 11)
    assert set(images.sum(axis=(1, 2))) == {10}  # a pixel and nine, which never touch
    assert len({image.tobytes() for image in images}) == 75
    assert set(np.unique(images)) == {0.0, 1.0}


def test_the_score_falls_with_the_square_of_the_distance():
    task = VisualDiscrimination()
    always = np.zeros((121, 121))
    always[:, 60] = 1.0  # the guess is always the middle of the field
    middles = np.array([middle for _, middle in task._squares])
    expected = np.maximum(30 - ((middles - 5) ** 2).sum(axis=1), 0).sum()
    assert task.score(always) == expected < 2_250


def test_a_network_without_weights_guesses_the_first_output():
    task = VisualDiscrimination()
    middles = np.array([middle for _, middle in task._squares])
    assert task.score(np.zeros((121, 121))) == np.maximum(30 - (middles**2).sum(axis=1), 0).sum()


@pytest.mark.parametrize("size", [5, 10])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match="odd number"):
        VisualDiscrimination(size)
