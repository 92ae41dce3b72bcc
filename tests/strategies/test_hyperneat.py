"""HyperNEAT (Stanley et al. 2009): species towards a number, and the small version of its task solved."""

from dataclasses import replace

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES, Neurons
from nasturtium.strategies import HyperNEAT, Niches
from nasturtium.tasks import load_task
from nasturtium.testing import Shapes
from nasturtium.testing._running import run


def test_the_threshold_moves_until_there_are_so_many_species():
    niches = Niches(20, n_species=8, threshold_step=0.3)
    assert niches._moved(6.0, 12) == pytest.approx(6.3)
    assert niches._moved(6.0, 3) == pytest.approx(5.7)
    assert niches._moved(6.0, 8) == 6.0
    assert niches._moved(0.3, 1) == pytest.approx(0.3)  # it stays positive
    assert Niches(20)._moved(3.0, 12) == 3.0


def test_it_is_over_once_a_pattern_has_95_percent_of_the_best_score():
    space = Neurons(output="tanh").on(Shapes((6,), 1))
    for loss, n_trials in ((0.05, 10), (0.06, 30)):
        assert run(HyperNEAT(10), space, lambda _, loss=loss: {"loss": loss}, trials=30).history().n_trials == n_trials


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_evolution_solves_the_small_version():
    """Fields of 9 x 9, solved at 95 %: by 3 of 3 seeds within 100 generations of 150."""
    problem = load_task("visual-discrimination(size=9)")
    space = SPACES.create(problem.space).on(problem)

    def metrics(architecture):
        return {"loss": problem.score(space, architecture)["error"]}

    for seed in range(3):
        losses = run(HyperNEAT(150), space, metrics, trials=15_000, seed=seed).history().losses()
        assert losses.min() <= 0.05, seed


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="sizes are at least 1"):
        replace(HyperNEAT(), population_size=0)
