"""Visual discrimination (Stanley et al. 2009): the trials, and who is right in all of them."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES, Gene, Genome
from nasturtium.tasks import load_task
from nasturtium.tasks._substrate import Sheets
from nasturtium.tasks._visual_discrimination import Fields, VisualDiscrimination


def bump(size, width):
    """Return the weights of a pattern built by hand: neurons excite those near their own place."""
    sheets = Sheets(size)
    x1, y1, x2, y2 = sheets.queries()
    return sheets.weights(np.exp(-((x1 - x2) ** 2 + (y1 - y2) ** 2) / width**2))


@pytest.mark.parametrize("width", [0.2, 0.3, 0.5])
def test_a_pattern_built_by_hand_is_always_right(width):
    # methods B4, check (b).
    assert Fields().score(bump(11, width)) == 2_250


@pytest.mark.parametrize("size", [9, 21, 33])
def test_the_same_pattern_serves_other_sizes(size):
    task = Fields(size)
    assert task.score(bump(size, 0.3)) == task.best_score


def test_trials_of_the_paper():
    task = Fields()
    images = task.images.reshape(75, 11, 11)
    assert set(images.sum(axis=(1, 2))) == {10}  # a pixel and nine, which never touch
    assert len({image.tobytes() for image in images}) == 75
    assert set(np.unique(images)) == {0.0, 1.0}


def test_the_score_falls_with_the_square_of_the_distance():
    task = Fields()
    always = np.zeros((121, 121))
    always[:, 60] = 1.0  # the guess is always the middle of the field
    middles = np.array([middle for _, middle in task._squares])
    expected = np.maximum(30 - ((middles - 5) ** 2).sum(axis=1), 0).sum()
    assert task.score(always) == expected < 2_250


def test_a_network_without_weights_guesses_the_first_output():
    task = Fields()
    middles = np.array([middle for _, middle in task._squares])
    assert task.score(np.zeros((121, 121))) == np.maximum(30 - (middles**2).sum(axis=1), 0).sum()


@pytest.mark.parametrize("size", [5, 10])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match="odd number"):
        Fields(size)


def test_a_pattern_of_neurons_built_by_hand_is_always_right():
    problem = load_task("visual-discrimination")
    assert problem == VisualDiscrimination(source="visual-discrimination")
    space = SPACES.create(problem.space).on(problem)
    # A bump of the distance: what lies within a third of the field in x and in y is excited.
    genes = {
        ("x4", "near_x", 0): Gene(3.0),
        ("x5", "near_y", 0): Gene(3.0),
        ("near_x", "y0", 0): Gene(2.0),
        ("near_y", "y0", 0): Gene(2.0),
        ("bias", "y0", 0): Gene(-2.0),
    }
    pattern = Genome({"near_x": "gaussian", "near_y": "gaussian"}, genes).architecture()
    assert pattern in space
    assert problem.score(space, pattern) == {"error": 0.0}  # 2,250 of 2,250
    assert problem.test(space, pattern)["test_error"] < 0.1  # nine times as many neurons


def test_a_pattern_without_connections_is_no_error():
    problem = load_task("visual-discrimination(size=9)")
    space = SPACES.create(problem.space).on(problem)
    assert 0.5 < problem.score(space, Genome({}, {}).architecture())["error"] < 1
