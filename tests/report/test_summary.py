from math import nan

from nasturtium.report import FinalResults
from nasturtium.report._summary import summary
from nasturtium.trials import Limit, State


def result(trial, **changes):
    values = {
        "trial": trial, "key": "k", "folder": "", "params": 10, "flops": 20, "epochs": 40,
        "valid_error": 0.1, "test_error": 0.05, "n_test": 1000, "weights": "final",
    }  # fmt: skip
    return FinalResults(**{**values, **changes})


def test_it_says_what_was_searched_how_long_and_what_came_of_it(studies):
    study = studies(objectives=["valid_error", "params"])
    study.end(valid_error=0.125, params=1234.0, seconds=61.0)
    study.end(State.STOPPED, step=1, valid_error=0.5, params=1.0)
    study.fail("boom")
    html = summary(study.found([result(0)]))
    assert (
        "A search of the space chain on the task digits by random-search (seed 0) ran 3 trials: "
        "1 finished, 1 failed, 1 stopped, paused or not ended; 1 min 2 s charged."
    ) in html
    assert ("The best validation error is 12.50 % with 1,234 parameters (trial 0, of 1 on the Pareto front).") in html
    assert (
        "After final training (40 epochs), the test error of trial 0 is 5.00 % "
        "(95 % interval 3.81–6.53 %, 1,000 test examples)."
    ) in html


def test_search_weights_are_named_as_such(studies):
    study = studies()
    study.end(valid_error=0.125)
    assert "With the weights of the search (4 epochs)" in summary(study.found([result(0, weights="search", epochs=4)]))


def test_an_unread_test_error_is_not_told(studies):
    study = studies()
    study.end(valid_error=0.125)
    assert "test error" not in summary(study.found([result(0, test_error=nan)]))


def test_no_result_says_why(studies):
    study = studies(limits=[Limit("latency_ms", 1.0)])
    assert "There is no result yet." in summary(study.found())
    study.end(valid_error=0.1, latency_ms=2.0)
    assert "No finished trial meets the limits" in summary(study.found())
    study = studies()
    study.end(valid_error=nan)
    assert "No finished trial has a value" in summary(study.found())


def test_a_study_of_which_little_is_known_is_still_told(studies):
    found = studies().found()
    html = summary(type(found)(found.history, {}))
    name = type(found.history.study.space).__name__
    assert f"A search of the space {name} (seed 0) ran 0 trials" in html
