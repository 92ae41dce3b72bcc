"""A user's own table: names, the rule for what is missing, and one clear line for each mistake."""

import json
import sys

import numpy as np
import pandas
import pytest

import nasturtium as nas
from nasturtium._search import reopen
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import MissingExtraError, UsageError
from nasturtium.estimators import ESTIMATORS
from nasturtium.spaces import choice, decisions
from nasturtium.testing._estimators import check_estimator

SPACE = decisions(a=choice(1, 2, 3), b=choice(1, 2))
GOOD = [(f'{{"a":{a},"b":{b}}}', 10.0 * a + b, 20.0 * a - b, 60.0 * a) for a in (1, 2, 3) for b in (1, 2)]


def write(path, rows=GOOD, header=("arch", "val_acc", "test_acc", "time")):
    quoted = [[f'"{str(row[0]).replace(chr(34), 2 * chr(34))}"', *map(str, row[1:])] for row in rows]
    path.write_text("\n".join(",".join(row) for row in [header, *quoted]) + "\n")
    return path


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "my.csv")


def load(path, **changes):
    return nas.benchmarks.from_table(path, **{"space": SPACE, "maximize": "val_acc", "report": "test_acc", **changes})


def test_accuracies_become_errors(good):
    benchmark = load(good, seconds="time")
    assert (benchmark.objectives, benchmark.reports) == (("valid_error",), ("test_error",))
    assert benchmark.optimum == pytest.approx({"valid_error": 0.68, "test_error": 0.41})
    best = SPACE.parse('{"a":3,"b":2}')
    assert benchmark.estimator.report(best) == pytest.approx({"test_error": 0.42})
    assert benchmark.values("valid_error", "test_error").shape == (6, 2)


def test_laws(good):
    check_estimator(load(good).estimator, SPACE)


def test_search_takes_the_seconds_of_the_table(good):
    benchmark = load(good, seconds="time")
    study = nas.Study(space=benchmark.space, estimator=benchmark.estimator, objectives=["valid_error"])
    study.run("random-search", trials=6, seed=0, executor=SimulatedExecutor())
    assert study.front()[0].architecture["a"] == 3
    assert max(trial.ended_at for trial in study.history.finished()) == 2 * 60 * (1 + 2 + 3)


def test_other_columns_keep_their_names(tmp_path):
    path = write(tmp_path / "t.csv", header=("arch", "loss", "reward", "time"))
    benchmark = load(path, minimize=["loss", "time"], maximize="reward", report=())
    assert benchmark.objectives == ("loss", "time", "negative_reward")
    assert benchmark.optimum == {"loss": 11.0, "time": 60.0, "negative_reward": -59.0}


def test_parquet(tmp_path, good):
    path = tmp_path / "my.parquet"
    pandas.read_csv(good).to_parquet(path)
    assert np.array_equal(load(path).values("valid_error"), load(good).values("valid_error"))


def test_space_by_name(tmp_path):
    text = '{"link":"0123","op1":"gcn","op2":"gcn","op3":"gcn","op4":"skip"}'
    path = write(tmp_path / "graph.csv", [(text, 0.5)], header=("arch", "val_acc"))
    benchmark = load(path, space="nasbench-graph", report=())
    assert benchmark.optimum == {"valid_error": 0.5}


def test_missing_architectures_fail(tmp_path):
    benchmark = load(write(tmp_path / "t.csv", GOOD[:3]))
    study = nas.Study(space=benchmark.space, estimator=benchmark.estimator)
    study.run("random-search", trials=6, seed=0, executor=SimulatedExecutor())
    reasons = [trial.reason for trial in study.history.trials() if trial.reason]
    assert len(reasons) == 3
    assert all("must be in the table" in reason for reason in reasons)
    assert np.isnan(benchmark.values("valid_error")).sum() == 3


def test_missing_architectures_are_worst(tmp_path):
    benchmark = load(write(tmp_path / "t.csv", GOOD[3:]), missing="worst")
    missing, worst = SPACE.parse('{"a":1,"b":1}'), SPACE.parse('{"a":2,"b":2}')
    assert benchmark.estimator.report(missing) == benchmark.estimator.report(worst)
    assert benchmark.values("valid_error")[0] == 0.78


def test_the_stored_form_makes_the_same_estimator(good):
    estimator = load(good).estimator
    described = json.loads(json.dumps(ESTIMATORS.describe(estimator)))
    assert ESTIMATORS.restore(described) == estimator


def test_parquet_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    path = tmp_path / "my.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=r"install nasturtium\[frame\]"):
        load(path)


def test_another_file_under_a_stored_study(good):
    described = ESTIMATORS.describe(load(good).estimator)
    good.write_text(good.read_text() + "\n")
    with pytest.raises(UsageError, match="a table stays as it was"):
        ESTIMATORS.restore(described).table.rungs()


def test_a_stored_study_goes_on(tmp_path, good):
    benchmark, storage = load(good), f"sqlite:///{tmp_path}/s.db"
    study = nas.Study(space=SPACE, estimator=benchmark.estimator, storage=storage, name="mine")
    study.run("random-search", trials=2, seed=0)
    again = reopen("mine", storage)
    assert len(again.run("random-search", trials=6).history.finished()) == 6


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (GOOD, {"maximize": "val_ac"}, "has no column 'val_ac'; did you mean 'val_acc'"),
        (GOOD, {"report": "test_err"}, "has no column 'test_err'"),
        (GOOD, {"maximize": ()}, "a benchmark has an objective, got none"),
        (GOOD, {"report": "val_acc"}, "got 'val_acc' as two of them"),
        (GOOD, {"missing": "skip"}, "missing is one of fail, worst, got 'skip'"),
        ([*GOOD, ('{"a":9,"b":1}', 1, 1, 1)], {}, r"got '{\"a\":9,\"b\":1}' in row 7"),
        ([*GOOD, ("nonsense", 1, 1, 1)], {}, "got 'nonsense' in row 7"),
        ([*GOOD, ('{"b":1,"a":1}', 1, 1, 1)], {}, "an architecture has one row, got rows 1 and 7"),
        ([*GOOD[:5], (GOOD[5][0], "high", 1, 1)], {}, "column 'val_acc' of .* has finite numbers, got 'high' in row 6"),
        ([*GOOD[:5], (GOOD[5][0], "", 1, 1)], {}, "got '' in row 6"),
        ([*GOOD[:5], (GOOD[5][0], 1, 1)], {}, "have 4 values like the header, got 3 in row 6"),
        ([], {}, "a table has rows, got none"),
        (
            GOOD,
            {"space": decisions(z=choice(1, 2))},
            "architectures of NamedDecisions, got .* in row 1 .*another space",
        ),
        (GOOD, {"space": "nasnett"}, "did you mean 'nasnet'"),
    ],
)
def test_one_clear_line_for_each_mistake(tmp_path, rows, changes, message):
    with pytest.raises(UsageError, match=message) as caught:
        load(write(tmp_path / "my.csv", rows), **changes)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match="a table is a CSV or Parquet file, got"):
        load(tmp_path / "none.csv")


def test_a_file_without_architectures(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("architecture,val_acc\nx,1\n")
    with pytest.raises(UsageError, match="has no column 'arch'; did you mean 'architecture'"):
        load(path)


def test_an_empty_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("")
    with pytest.raises(UsageError, match="has no column 'arch'"):
        load(path)
