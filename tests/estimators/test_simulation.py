import numpy as np
import pytest

import nasturtium as nas
from nasturtium.errors import RequirementError, UsageError
from nasturtium.estimators import Simulation
from nasturtium.spaces import Genome, Neurons
from nasturtium.tasks import DoublePole, Xor


def test_a_network_is_judged_by_what_it_does():
    study = nas.Study(space="neurons", estimator="simulation", task=Xor(), storage=None)
    study.run("neat(population_size=20)", trials=60, seed=0)
    for trial in study.history.finished():
        assert trial.metrics["valid_error"] == Xor().score(study.space, trial.architecture)["error"]
        genes = Genome.of(trial.architecture).genes.values()
        assert trial.metrics["params"] == sum(gene.is_enabled for gene in genes)


def test_a_solved_problem_ends_the_search():
    study = nas.Study(space="neurons", estimator="simulation", task=DoublePole(steps=15), storage=None)
    study.run("neat(population_size=20)", trials=500, seed=0)
    assert study.front()[0].metrics["valid_error"] == 0
    assert study.history.n_trials < 500


def test_spaces_without_weights_and_data_are_refused():
    with pytest.raises(RequirementError, match="Simulation needs a space with Genomes"):
        nas.Study(space="chain", estimator="simulation", task=Xor())
    space = Neurons(input_shape=(2,), n_outputs=1)
    study = nas.Study(space=space, estimator=Simulation(), storage=None)
    study.run("random-search", trials=1, seed=0)
    assert "simulation needs a problem" in study.history.trials()[0].reason
    with pytest.raises(UsageError, match="unknown metric"):
        nas.Study(space=space, estimator="simulation", objectives=["valid_eror"])
    assert np.isfinite(Simulation().ladder()[0].cost)
