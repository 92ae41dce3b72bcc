"""Optuna's samplers as a strategy."""

import numpy as np
import optuna
import pytest

from nasturtium import Study
from nasturtium.errors import UsageError
from nasturtium.estimators import Function
from nasturtium.spaces import choice, decisions, integer, option, real
from nasturtium.strategies import Optuna, operators
from nasturtium.trials import State

SPACE = decisions(**{f"x{i}": choice(0, 1, 2, 3, 4) for i in range(4)})


def loss(a):
    return {"valid_error": sum(a[f"x{i}"] for i in range(4)) / 16}


def native_run(seeds):
    """Ask Optuna itself, seeded trial by trial as the strategy seeds it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    found = []
    for seed in seeds:
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        trial = study.ask()
        values = {f"x{i}": trial.suggest_categorical(f"x{i}", [0, 1, 2, 3, 4]) for i in range(4)}
        study.tell(trial, loss(values)["valid_error"])
        found.append(values)
    return found


def test_it_proposes_what_optuna_itself_proposes():
    study = Study(space=SPACE, estimator=Function(loss)).run(Optuna("tpe"), trials=40, seed=5)
    seeds = [int(operators.generator(study.history, number).integers(2**31)) for number in range(40)]
    assert [dict(trial.architecture) for trial in study.history.finished()] == native_run(seeds)


def test_generations_go_on_from_one_ask_to_the_next():
    study = Study(space=SPACE, estimator=Function(loss)).run(Optuna("nsgaii"), trials=120, seed=5)
    generations = [trial.proposal.attributes["NSGAIISampler:generation"] for trial in study.history.finished()]
    assert generations == [0] * 50 + [1] * 50 + [2] * 20
    losses = study.history.losses()[:, 0]
    assert losses[100:].mean() < losses[:50].mean(), "later generations are better"


def test_conditional_and_numeric_decisions_are_asked():
    space = decisions(
        kind=choice("plain", option("wide", width=integer(1, 64, log=True))),
        rate=real(1e-4, 1e-1, log=True),
    )

    def judged(a):
        return {"valid_error": abs(np.log10(a["rate"]) + 2) + (a["kind"] == "plain")}

    study = Study(space=space, estimator=Function(judged)).run("optuna", trials=40, seed=0)
    assert {a["kind"] for a in (t.architecture for t in study.history.finished())} == {"plain", "wide"}
    assert study.front()[0].metrics["valid_error"] < 0.2


def test_failures_are_told_and_the_search_goes_on():
    def failing(a):
        if a["x0"] == 0:
            raise ValueError("no")
        return loss(a)

    study = Study(space=SPACE, estimator=Function(failing)).run("optuna", trials=30, seed=0)
    assert len(study.history.trials(State.FAILED)) > 0
    assert study.history.n_trials == 30


def test_an_unknown_sampler_is_one_clear_line():
    with pytest.raises(UsageError, match="did you mean 'nsgaii'"):
        Optuna("nsgai")
