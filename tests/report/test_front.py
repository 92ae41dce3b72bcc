from math import nan

import pytest

from nasturtium.report import FinalResults, _front
from nasturtium.report._front import axes_of, front_section
from nasturtium.trials import Limit, Objective, State


@pytest.mark.parametrize(
    ("objectives", "metrics", "axes"),
    [
        (["valid_error", "params"], {}, [("params", "valid_error")]),
        (["e", "b", "c"], {}, [("b", "e"), ("c", "e")]),
        (["valid_error"], {"params": 3.0}, [("params", "valid_error")]),
        (["valid_error"], {"flops": 3.0}, [("flops", "valid_error")]),
        (["valid_error"], {}, [("trial", "valid_error")]),
        (["params"], {"params": 3.0}, [("trial", "params")]),
    ],
)
def test_what_stands_against_what(studies, objectives, metrics, axes):
    study = studies(objectives=objectives)
    study.end(valid_error=0.1, **metrics)
    assert axes_of(study.found()) == axes


def test_finished_and_unfinished_trials_are_drawn_and_failed_ones_counted(studies):
    study = studies(objectives=["valid_error", "params"])
    study.end(valid_error=0.1, params=10.0)
    study.end(valid_error=0.2, params=20.0)
    study.end(State.STOPPED, "stopped by the scheduler", step=2, valid_error=0.3, params=5.0)
    study.end(State.FAILED, "diverged: nan", valid_error=0.9, params=5.0)
    html = front_section(study.found())
    assert html.count("<circle") == 3
    assert "trial 2: validation error 30.00 %, 5 parameters, stopped at epoch 2" in html
    assert "Hollow: 1 trial not trained to the end" in html
    assert "Not drawn: 1 trial without values" in html
    assert 'id="front-0"' in html


def test_only_a_plane_has_stairs(studies):
    for objectives, n_stairs in ((["a", "b"], 1), (["a", "b", "c"], 0)):
        study = studies(objectives=objectives)
        study.end(a=0.1, b=2.0, c=1.0)
        study.end(a=0.2, b=1.0, c=1.0)
        assert front_section(study.found()).count('class="stairs"') == n_stairs


def test_aims_and_limits_are_told(studies):
    study = studies(objectives=[Objective("accuracy", maximize=True)], limits=[Limit("latency_ms", 2.0)])
    html = front_section(study.found())
    assert "accuracy (higher is better)" in html
    assert "Limits: latency (ms) ≤ 2" in html


def test_why_there_is_no_front(studies):
    study = studies(limits=[Limit("latency_ms", 1.0)])
    assert "no trial has finished" in front_section(study.found())
    study.end(valid_error=0.1, latency_ms=2.0)
    assert "no finished trial meets the limits" in front_section(study.found())
    study = studies()
    study.end(valid_error=nan)
    assert "no finished trial has a value" in front_section(study.found())


def test_a_long_front_is_cut_and_says_so(studies, monkeypatch):
    monkeypatch.setattr(_front, "MOST_ROWS", 2)
    study = studies(objectives=["a", "b"])
    for i in range(3):
        study.end(a=float(i), b=float(-i))
    html = front_section(study.found())
    assert html.count('id="front-') == 2
    assert "the first 2 of 3" in html


def test_of_equal_networks_the_delivered_one_comes_first_and_the_others_are_accounted_for(studies):
    study = studies(objectives=["valid_error"])
    for params in (9.0, 8.0, 7.0):
        study.end(valid_error=0.25, params=params)
    delivered = FinalResults(
        trial=2, key="k", folder="trial-2", params=7, flops=2, epochs=40, valid_error=0.25,
        test_error=0.05, n_test=1000, weights="final",
    )  # fmt: skip
    found = study.found([delivered])
    assert [trial.number for trial in found.front] == [2, 0, 1]
    assert found.best.number == 2
    assert "Of networks equal in every objective, the one with the fewest parameters" in front_section(found)
