"""SMAC's facades as a strategy."""

from pathlib import Path

import pytest
import smac
from smac.runhistory import TrialValue

from nasturtium import Study
from nasturtium.errors import UsageError
from nasturtium.estimators import Function
from nasturtium.spaces import choice, decisions, to_configspace
from nasturtium.strategies import SMAC3, operators
from nasturtium.trials import State

SPACE = decisions(**{f"x{i}": choice("0", "1", "2", "3") for i in range(3)})
N = 24


def loss(a):
    return {"valid_error": sum(int(a[f"x{i}"]) for i in range(3)) / 9}


def native_run(seed, folder):
    """Ask and tell SMAC itself."""
    scenario = smac.Scenario(
        to_configspace(SPACE), n_trials=N, deterministic=True, seed=seed, output_directory=Path(folder)
    )
    facade = smac.HyperparameterOptimizationFacade(scenario, None, logging_level=False)
    found = []
    for _ in range(N):
        info = facade.ask()
        found.append(dict(info.config))
        facade.tell(info, TrialValue(loss(info.config)["valid_error"]), save=False)
    return found


def test_it_proposes_what_smac_itself_proposes(tmp_path):
    study = Study(space=SPACE, estimator=Function(loss)).run("smac3", trials=N, seed=5)
    seed = int(operators.generator(study.history, 0).integers(2**31))
    assert [dict(trial.architecture) for trial in study.history.finished()] == native_run(seed, tmp_path)


def test_a_finite_space_is_proposed_once():
    space = decisions(a=choice("x", "y"), b=choice("x", "y"))
    study = Study(space=space, estimator=Function(lambda a: {"valid_error": 0.5})).run("smac3", trials=10)
    assert len({trial.architecture for trial in study.history.finished()}) == study.history.n_trials == 4


def test_failures_are_not_told_and_the_search_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def failing(a):
        if a["x0"] == "0":
            raise ValueError("no")
        return loss(a)

    study = Study(space=SPACE, estimator=Function(failing)).run(SMAC3("random"), trials=12, seed=0)
    assert len(study.history.trials(State.FAILED)) > 0
    assert study.history.n_trials == 12
    assert not list(tmp_path.iterdir()), "SMAC leaves no files"


def test_an_unknown_facade_is_one_clear_line():
    with pytest.raises(UsageError, match="did you mean 'black-box'"):
        SMAC3("blackbox")
