from math import nan

from nasturtium.report import FinalResults
from nasturtium.report._grid import (
    Cell,
    Column,
    facts_table,
    front_columns,
    html_table,
    metric_column,
    plain_table,
)


def result(trial, **changes):
    values = {
        "trial": trial, "key": "k", "folder": f"trial-{trial}", "params": 10, "flops": 20,
        "epochs": 40, "valid_error": 0.1, "test_error": 0.05, "n_test": 1000, "weights": "final",
    }  # fmt: skip
    return FinalResults(**{**values, **changes})


def texts(columns, trial):
    return {column.title: column.cell(trial).text for column in columns}


def test_the_front_shows_objectives_costs_and_effort(studies):
    study = studies()
    study.end(valid_error=0.125, params=1234.0, flops=5e6)
    found = study.found()
    row = texts(front_columns(found), found.front[0])
    assert row["validation error"] == "12.50 %"
    assert (row["parameters"], row["multiply-accumulates"]) == ("1,234", "5,000,000")
    assert (row["trial"], row["epochs"]) == ("0", "4")
    assert row["architecture key"] == found.front[0].architecture.key


def test_final_results_stand_in_the_rows_of_their_trials(studies):
    study = studies(objectives=["valid_error", "params"])
    study.end(valid_error=0.1, params=20.0)
    study.end(valid_error=0.2, params=10.0)
    found = study.found([result(0), result(1, test_error=nan, weights="search", epochs=4)])
    first, second = (texts(front_columns(found), trial) for trial in found.front)
    assert (first["test error"], first["95 % interval"]) == ("5.00 %", "3.81–6.53 %")
    assert (first["weights"], first["epochs"], first["folder"]) == ("final", "40", "trial-0")
    assert (second["test error"], second["95 % interval"]) == ("–", "–")
    assert (second["weights"], second["epochs"]) == ("search", "4")


def test_a_trial_without_final_result_says_so(studies):
    study = studies(objectives=["valid_error", "params"])
    study.end(valid_error=0.1, params=20.0)
    study.end(valid_error=0.2, params=10.0)
    found = study.found([result(0)])
    row = texts(front_columns(found), found.front[1])
    assert (row["test error"], row["weights"], row["folder"]) == ("–", "–", "–")
    assert row["epochs"] == "4"


def test_the_whole_space_has_no_key(studies):
    study = studies()
    number = study.ask()
    trial = study.history.trial(number)
    whole = type(trial)(0, type(trial.proposal)(None), trial.state, trial.fidelity, (), 0)
    assert texts(front_columns(study.found()), whole)["architecture key"] == "whole space"


def test_html_cells_are_escaped_and_numbers_sortable(studies):
    study = studies()
    study.end(valid_error=0.5)
    columns = [metric_column("valid_error"), Column("<x>", lambda t: Cell("<y>"))]
    html = html_table(columns, study.history.trials(), row_id="r", caption="c")
    assert '<td class="number" data-value="0.5">50.00 %</td>' in html
    assert "&lt;x&gt;" in html
    assert "<td>&lt;y&gt;</td>" in html
    assert '<tr id="r-0">' in html


def test_a_missing_number_sorts_as_nothing(studies):
    study = studies()
    study.end(valid_error=nan)
    html = html_table([metric_column("valid_error")], study.history.trials(), row_id="r", caption="c")
    assert '<td class="number" data-value="">–</td>' in html


def test_small_tables_are_escaped():
    assert "<td>&lt;b&gt;</td>" in plain_table(["a"], [["<b>"]])
    assert '<th scope="row">&lt;a&gt;</th><td>1</td>' in facts_table({"<a>": 1})
