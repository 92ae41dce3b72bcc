"""Networks made by hand: one member each, trained like any candidate."""

import numpy as np
import pytest

from nasturtium import Study, baselines
from nasturtium.errors import UsageError
from nasturtium.estimators import Training
from nasturtium.spaces import Networks
from nasturtium.tasks import Task
from nasturtium.testing._toys import Shapes

IMAGE = Shapes((3, 32, 32), 10)


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_each_has_one_member_of_few_parameters(name):
    space = baselines.load(name).on(IMAGE)
    [architecture] = space
    assert space.supports(Networks)
    assert space.graph(architecture).params < 250_000


def test_only_the_perceptron_suits_a_table():
    assert list(baselines.baselines_for(IMAGE)) == ["residual", "mobile", "mlp"]
    assert list(baselines.baselines_for(Shapes((7,), 2))) == ["mlp"]


def test_sizes():
    [small, large] = (baselines.residual(n).on(IMAGE) for n in (16, 32))
    [a], [b] = small, large
    assert 3.5 < large.graph(b).params / small.graph(a).params < 4
    [deep] = baselines.mlp(16, layers=3).on(Shapes((7,), 2))
    assert baselines.mlp(16, layers=3).on(Shapes((7,), 2)).graph(deep).params == 7 * 16 + 16 + 2 * (16 * 17) + 17 * 2


@pytest.mark.parametrize("call", [lambda: baselines.load("residul"), lambda: baselines.mlp(layers=0)])
def test_wrong_calls_are_refused(call):
    with pytest.raises(UsageError, match=r"unknown baseline 'residul'|at least one hidden layer"):
        call()


def test_a_study_trains_one_by_the_final_recipe():
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    task = Task.from_tensors(rng.normal(size=(240, 7)).astype(np.float32) + y[:, None], y)
    study = Study(
        space=baselines.mlp().on(task),
        estimator=Training().final(8),
        objectives=["train_error"],
        task=task.for_final(),
    )
    study.run("random-search", trials=1, seed=0)
    [trial] = study.history.finished()
    assert trial.metrics["train_error"] < 0.2
