"""Nevergrad's optimizers as a strategy."""

import warnings

import numpy as np
import pytest

from nasturtium import Study
from nasturtium.errors import UsageError
from nasturtium.estimators import Function
from nasturtium.spaces import choice, decisions, integer, option, real
from nasturtium.strategies import Nevergrad, operators
from nasturtium.trials import State

SPACE = decisions(**{f"x{i}": choice(0, 1, 2, 3, 4) for i in range(4)})


def loss(a):
    return {"valid_error": sum(a[f"x{i}"] for i in range(4)) / 16}


def native_run(name, seed, n):
    """Ask and tell Nevergrad itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nevergrad

        parameters = nevergrad.p.Dict(**{f"x{i}": nevergrad.p.Choice(range(5)) for i in range(4)})
        parameters.random_state = np.random.RandomState(seed)
        optimizer = nevergrad.optimizers.registry[name](parameters, budget=n)
        found = []
        for _ in range(n):
            candidate = optimizer.ask()
            found.append(dict(candidate.value))
            optimizer.tell(candidate, loss(candidate.value)["valid_error"])
        return found


@pytest.mark.parametrize("name", ["DiscreteOnePlusOne", "TwoPointsDE", "NGOpt"])
def test_it_proposes_what_nevergrad_itself_proposes(name):
    study = Study(space=SPACE, estimator=Function(loss)).run(Nevergrad(name), trials=40, seed=5)
    seed = int(operators.generator(study.history, 0).integers(2**31))
    assert [dict(trial.architecture) for trial in study.history.finished()] == native_run(name, seed, 40)


def test_conditional_numeric_and_forbidden_values():
    space = decisions(
        kind=choice("plain", option("wide", width=integer(1, 64, log=True))),
        rate=real(1e-4, 1e-1, log=True),
        other=choice("plain", "wide", "deep", rule=lambda prefix, value: value != prefix["kind"]),
        point=integer(3, 3),
    )

    def judged(a):
        return {"valid_error": abs(np.log10(a["rate"]) + 2) + (a["kind"] == "plain")}

    study = Study(space=space, estimator=Function(judged)).run(Nevergrad("OnePlusOne"), trials=40, seed=0)
    architectures = [trial.architecture for trial in study.history.finished()]
    assert {a["kind"] for a in architectures} == {"plain", "wide"}
    assert all(a["kind"] != a["other"] for a in architectures)
    assert study.front()[0].metrics["valid_error"] < 0.5


def test_failures_are_not_told_and_the_search_goes_on():
    def failing(a):
        if a["x0"] == 0:
            raise ValueError("no")
        return loss(a)

    study = Study(space=SPACE, estimator=Function(failing)).run("nevergrad", trials=30, seed=0)
    assert len(study.history.trials(State.FAILED)) > 0
    assert study.history.n_trials == 30


def test_an_unknown_optimizer_is_one_clear_line():
    with pytest.raises(UsageError, match="did you mean 'NGOpt'"):
        Study(space=SPACE, estimator=Function(loss)).run(Nevergrad("NGOp"), trials=1)
