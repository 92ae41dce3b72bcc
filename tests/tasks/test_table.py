"""Tables: what a column becomes, found on the training part alone; files; what a user may do wrong."""

import csv
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

import nasturtium as nas
from nasturtium.errors import DataError, UnknownNameError, UsageError
from nasturtium.tasks import TableFile, from_table, load_task
from nasturtium.tasks import _predict as code


def columns(n=120, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(5, 2, n)
    color = rng.choice(["red", "green", "blue"], n)
    empty = [None if rng.random() < 0.2 else float(value) for value in rng.normal(size=n)]
    kind = [f"{'big' if s > 5 else 'small'}" for s in size]
    return {"size": size.tolist(), "color": color.tolist(), "often empty": empty, "kind": kind}


def spec(task, name):
    return next(c for c in json.loads(task.files["table.json"])["columns"] if c["name"] == name)


def written(path, table):
    names = list(table)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip(*table.values(), strict=True))
    return str(path)


def test_numbers_are_standardized_and_marked_where_empty_and_categories_are_one_of_many():
    task = from_table(columns(), "kind")
    assert task.classes == ("big", "small")
    assert task.input_shape == (1 + 3 + 2,)
    x, _ = task.train.tensors()
    assert x[:, 0].mean().abs() < 1e-5
    assert float(x[:, 0].std(correction=0)) == pytest.approx(1, abs=1e-4)
    assert x[:, 1:4].sum(1).eq(1).all()
    assert set(x[:, 5].tolist()) == {0.0, 1.0}


def test_what_an_encoding_learns_is_of_the_training_part():
    table = columns()
    task = from_table(table, "kind")
    raw = task.train.x[:, 4]
    there = raw[task.train.x[:, 5] == 0]
    assert spec(task, "often empty")["fill"] == pytest.approx(float(there.double().quantile(0.5)))
    assert task.normalization.mean[0] == pytest.approx(float(task.train.x[:, 0].double().mean()))
    assert task.normalization.mean[1:4] == (0, 0, 0)


def test_the_parts_follow_from_the_rows_alone():
    table = columns()
    order = np.random.default_rng(1).permutation(120)
    shuffled = {name: [cells[i] for i in order] for name, cells in table.items()}
    assert from_table(shuffled, "kind").content == from_table(table, "kind").content
    assert from_table(pandas.DataFrame(table), "kind").content == from_table(table, "kind").content


def test_csv_and_parquet_are_the_same_task(tmp_path):
    pandas.DataFrame(columns()).to_parquet(tmp_path / "a.parquet")
    pandas.DataFrame(columns()).to_csv(tmp_path / "a.csv", index=False)
    pandas.DataFrame(columns()).to_csv(tmp_path / "b.csv", index=False, sep=";")
    tasks = [load_task(str(tmp_path / name), target="kind") for name in ("a.csv", "b.csv", "a.parquet")]
    assert len({task.content for task in tasks}) == 1
    again = load_task(tasks[0].source)
    assert again.content == tasks[0].content
    assert again.source == tasks[0].source


@pytest.mark.parametrize(
    ("values", "kind", "outputs"),
    [
        ([1, 2, 3, 1], None, 3),
        ([0.5, 2, 3, 1], None, 1),
        (list(range(40)), None, 1),
        (list(range(20)) * 3, None, 20),
        ([1, 2, 3, 1], "regression", 1),
        (["a", "b", "a", "b"], None, 2),
        ([True, False, True, False], None, 2),
        ([0.5, 1.5, 0.5, 1.5], "classification", 2),
    ],
)
def test_the_kind_of_target(values, kind, outputs):
    target = [values[i % len(values)] for i in range(240)]
    table = {"x": np.random.default_rng(0).normal(size=240).tolist(), "y": target}
    assert from_table(table, "y", kind=kind).n_outputs == outputs


class TestUnusual:
    def test_three_classes_and_a_text_column_of_500_categories(self, tmp_path):
        rng = np.random.default_rng(0)
        words = [f"word {i}" for i in range(500)]
        table = {
            "text": (words * 2)[:900],
            "x": rng.normal(size=900).tolist(),
            "y": rng.choice(["a", "b", "c"], 900).tolist(),
        }
        task = load_task(written(tmp_path / "t.csv", table), target="y")
        assert task.input_shape == (32 + 1 + 1,)
        assert task.train.x[:, 32].sum() > 0.8 * len(task.train)

    def test_a_target_with_missing_values_is_one_line(self, tmp_path):
        table = columns()
        table["kind"][7] = ""
        with pytest.raises(DataError, match=r"'kind' must hold a value in every row, got 1 .* first in row 8; fill"):
            load_task(written(tmp_path / "t.csv", table), target="kind")

    def test_a_class_with_three_rows_works_and_one_with_two_is_one_line(self):
        table = columns()
        table["kind"][:3] = ["rare"] * 3
        assert from_table(table, "kind").classes == ("big", "rare", "small")
        table["kind"][2] = "small"
        with pytest.raises(DataError, match=r"a class needs at least 3 .* got 2 in class 'rare'"):
            from_table(table, "kind")

    def test_balanced(self, tmp_path):
        table = columns()
        table["kind"][:10] = ["rare"] * 10
        task = TableFile(written(tmp_path / "t.csv", table), "kind", balanced=True).load()
        assert "balanced_error" in task.metrics

    def test_empty_columns_are_left_out_and_constant_ones_do_no_harm(self):
        table = {**columns(), "nothing": [None] * 120, "same": [3] * 120}
        task = from_table(table, "kind")
        assert [c["name"] for c in json.loads(task.files["table.json"])["columns"]] == [
            "size",
            "color",
            "often empty",
            "same",
        ]
        assert torch.isfinite(task.train.tensors()[0]).all()

    def test_a_number_that_is_missing_in_the_test_rows_only_is_filled(self):
        column = {"name": "x", "kind": "number", "fill": 2.0, "marks_missing": False}
        assert code.features(column, ["1", "", "inf", None, float("nan"), "NA"]) == [[1.0, 2.0, 2.0, 2.0, 2.0, 2.0]]

    def test_levels_that_were_never_seen(self):
        column = {"name": "x", "kind": "category", "levels": ["a", None], "has_others": False}
        assert code.features(column, ["a", "z", ""]) == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        assert code.features({**column, "has_others": True}, ["a", "z", ""])[2] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("", "y", "rows below its line of names, got 0 lines"),
        ("a,y\n", "y", "rows below its line of names, got 1 lines"),
        ("a,a,y\n1,2,3\n", "y", "different names, got 'a' twice"),
        ("a,y\n1,2\n1\n", "y", "got 1 of 2 in row 2"),
        ("aa,y\n1,2\n", "a", "the target must be a column, got 'a'; did you mean 'aa'"),
        ("a,y\n1,2\n", None, "a table needs a target, got none; add --target with one of a, y"),
        ("y\n1\n2\n", "y", "a column beside the target 'y', got none"),
        ("a,y\n1,x\n2,x\n3,x\n", "y", "at least 2 classes, got one only"),
    ],
)
def test_bad_files_are_one_line(tmp_path, text, target, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=r"t\.csv: .*" + message):
        load_task(str(tmp_path / "t.csv"), target=target)


def test_what_is_no_table_is_one_line(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(DataError, match="a table must be text"):
        load_task(str(tmp_path / "t.csv"), target="y")
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="a Parquet file must be readable"):
        load_task(str(tmp_path / "t.parquet"), target="y")
    with pytest.raises(UsageError, match=r"a target is a column of a \.csv or \.parquet file, got 'y' for 'digits'"):
        load_task("digits", target="y")
    with pytest.raises(UsageError, match="a table has one target"):
        from_table(columns(), "kind", kind="multi-label")
    with pytest.raises(DataError, match="must have one length"):
        from_table({**columns(), "x": [1]}, "kind")
    with pytest.raises((UnknownNameError, DataError)):
        load_task("nothing.csv", target="y")


@pytest.mark.parametrize("target", ["kind", "size"])
def test_an_exported_network_predicts_from_raw_rows(tmp_path, target):
    table = columns()
    path = written(tmp_path / "t.csv", table)
    study = nas.search(
        path, target=target, space="mlp(depth=1, widths=(8,))", estimator="training(epochs=2)", trials=1,
        executor="inline", out=tmp_path / "out",
    )  # fmt: skip
    folder = tmp_path / "out" / f"trial-{study.front()[0].number}"
    assert {"predict.py", "table.json", "model.py"} <= {file.name for file in folder.iterdir()}
    predict = runpy.run_path(str(folder / "predict.py"))["predict"]
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    answers = predict(rows)
    task = study.task
    parts = (task.train, task.valid, task.test())
    x = torch.cat([part.tensors()[0] for part in parts])
    network = runpy.run_path(str(folder / "model.py"))["load"](folder)
    with torch.no_grad():
        outputs = network(x)
    if target == "kind":
        expected = sorted(outputs.softmax(1)[:, 0].tolist())
        found = sorted(answer["probability of big"] for answer in answers)
        assert all(answer["kind"] in ("big", "small") for answer in answers)
    else:
        expected = sorted((outputs[:, 0] * task.goal.std[0] + task.goal.mean[0]).tolist())
        found = sorted(answer["size"] for answer in answers)
    assert found == pytest.approx(expected, abs=1e-4)


def test_predictions_as_a_command(tmp_path, monkeypatch, capsys):
    source = 'CLASSES = ("a", "b")\n\ndef prepare(x):\n    return x\n\ndef load(folder):\n    return lambda x: x\n'
    (tmp_path / "model.py").write_text(source)
    levels = [{"name": "c", "kind": "category", "levels": ["x", "y"], "has_others": False}]
    (tmp_path / "table.json").write_text(json.dumps({"target": "t", "columns": levels}))
    (tmp_path / "predict.py").write_text(Path(code.__file__).read_text())
    rows = written(tmp_path / "rows.csv", {"c": ["x", "y"], "unused": [1, 2]})
    monkeypatch.setattr(sys, "argv", ["predict.py", rows])
    runpy.run_path(str(tmp_path / "predict.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "t,probability of a,probability of b"
    assert [line.split(",")[0] for line in lines[1:]] == ["a", "b"]
