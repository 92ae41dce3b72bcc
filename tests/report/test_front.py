from math import nan

import pytest

from nasturtium.report import _front
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
