from nasturtium.report import _cost
from nasturtium.report._cost import (
    best_trials,
    cost_section,
    failures_by_reason,
    remarks,
    trials_section,
)
from nasturtium.trials import Ended, State


def test_failures_are_counted_by_what_stands_before_the_colon(studies):
    study = studies()
    for reason in ("diverged: at epoch 1", "ValueError: x", "diverged: at epoch 3", None):
        study.fail(reason)
    groups = failures_by_reason(study.found())
    assert {kind: [t.number for t in trials] for kind, trials in groups.items()} == {
        "diverged": [0, 2],
        "ValueError": [1],
        "no reason given": [3],
    }
    assert next(iter(groups)) == "diverged"
    html = cost_section(study.found())
    assert "<td>diverged</td><td>2</td><td>diverged: at epoch 1</td><td>0, 2</td>" in html


def test_cost_is_summed_over_all_trials(studies):
    study = studies()
    study.end(valid_error=0.1, seconds=30.0)
    study.end(State.PAUSED, step=2, valid_error=0.1, seconds=45.0)
    html = cost_section(study.found())
    assert "1 min 15 s, summed over all workers" in html
    assert "2 (1 paused, 1 finished)" in html
    assert '<th scope="row">epochs trained</th><td>6</td>' in html
    assert "No trial failed." in html


def test_what_is_not_recorded_is_not_claimed(networks, studies):
    assert "not recorded" in cost_section(studies().found())
    assert "none: the space has no limits" in cost_section(studies().found())
    limited = studies(networks().space.limited(params=5000))
    assert '<th scope="row">draws that broke a limit</th><td>not recorded' in cost_section(limited.found())


def test_what_is_recorded_is_shown(studies):
    html = cost_section(
        studies().found(spent={"search": 60.0, "final": 30.0}, rejected_share=0.25, plan={"why": "because <x>"})
    )
    assert "1 min 30 s (search 1 min 0 s, final 30 s)" in html
    assert "25.00 %" in html
    assert "because &lt;x&gt;" in html


def test_the_table_of_trials_holds_states_values_and_reasons(studies):
    study = studies()
    study.end(valid_error=0.25, params=7.0, note="the checkpoint was <missing>")
    study.fail("boom")
    html = trials_section(study.found())
    assert 'id="trial-0"' in html
    assert "25.00 %" in html
    assert "the checkpoint was &lt;missing&gt;" in html
    assert "<td>failed</td>" in html
    assert "<td>boom</td>" in html


def test_parents_are_listed(studies):
    study = studies()
    study.end(valid_error=0.1)
    study.ask(parents=(0,))
    assert "<td>0</td>" in trials_section(study.found())


def test_a_long_table_keeps_the_best_and_says_so(studies, monkeypatch):
    monkeypatch.setattr(_cost, "MOST_ROWS", 2)
    study = studies()
    for value in (0.3, 0.1, 0.2):
        study.end(valid_error=value)
    study.fail("boom")
    found = study.found()
    assert [t.number for t in best_trials(found, 2)] == [1, 2]
    html = trials_section(found)
    assert html.count("<tr id=") == 2
    assert "the 2 of 4 trials with the best first objective" in html


def test_an_empty_study_has_no_table(studies):
    assert "No trial was asked for." in trials_section(studies().found())


def test_remarks_tell_reason_notes_and_losses(studies):
    study = studies()
    number = study.ask()
    study.lose(number)
    study.log.append([Ended(number, State.FAILED, "crashed: killed by SIGSEGV")])
    trial = study.history.trial(number)
    assert remarks(trial) == "crashed: killed by SIGSEGV; lost once and run again"
