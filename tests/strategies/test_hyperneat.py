"""HyperNEAT (Stanley et al. 2009): species towards a number, and the small version of its task solved."""

from dataclasses import replace

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.strategies import HyperNEAT, Niches
from nasturtium.tasks._substrate import Sheets
from nasturtium.tasks._visual_discrimination import VisualDiscrimination
from nasturtium.testing._running import run

SPACE = Neurons(hidden=("tanh", "gaussian", "sine", "absolute", "linear"), output="tanh", input_shape=(6,), n_outputs=1)
"""Patterns: x1, y1 of the source, x2, y2 of the target, and how far x2 and y2 are."""


def error_of(size):
    """Return the function that tells how far from solved a pattern is on fields of that size."""
    sheets, task = Sheets(size), VisualDiscrimination(size)
    x1, y1, x2, y2 = sheets.queries()
    places = [x1, y1, x2, y2, x2 - x1, y2 - y1, np.ones_like(x1)]

    def metrics(architecture):
        pattern = SPACE.circuit(architecture, np).step(places)[0][0]
        score = task.score(sheets.weights(np.broadcast_to(pattern, x1.shape)))
        return {"loss": 1 - score / task.best_score}

    return metrics


def test_the_threshold_moves_until_there_are_so_many_species():
    niches = Niches(20, n_species=8, threshold_step=0.3)
    assert niches._moved(6.0, 12) == pytest.approx(6.3)
    assert niches._moved(6.0, 3) == pytest.approx(5.7)
    assert niches._moved(6.0, 8) == 6.0
    assert niches._moved(0.3, 1) == pytest.approx(0.3)  # it stays positive
    assert Niches(20)._moved(3.0, 12) == 3.0


def test_a_pattern_of_neurons_built_by_hand_scores_all():
    # A bump of the distance: what lies within a third of the field in x and in y is excited.
    genes = {
        ("x4", "near_x", 0): Gene(3.0),
        ("x5", "near_y", 0): Gene(3.0),
        ("near_x", "y0", 0): Gene(2.0),
        ("near_y", "y0", 0): Gene(2.0),
        ("bias", "y0", 0): Gene(-2.0),
    }
    pattern = Genome({"near_x": "gaussian", "near_y": "gaussian"}, genes).architecture()
    assert pattern in SPACE
    assert error_of(11)(pattern)["loss"] == 0  # 2,250 of 2,250
    assert error_of(33)(pattern)["loss"] < 0.1  # the same pattern, nine times as many neurons


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_evolution_solves_the_small_version():
    """Fields of 9 x 9, solved at 95 %: by 3 of 3 seeds within 100 generations of 150."""
    for seed in range(3):
        losses = run(HyperNEAT(150), SPACE, error_of(9), trials=15_000, seed=seed).history().losses()
        assert losses.min() <= 0.05, seed


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="sizes are at least 1"):
        replace(HyperNEAT(), population_size=0)
