"""Unusual data from the command line: each works or ends with one clear line."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

TINY = ("--trials", "1", "--estimator", "training(epochs=1)", "--executor", "inline", "--out", "out")


def table(name, columns):
    with open(name, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def columns(n=600):
    rng = np.random.default_rng(0)
    words = [f"word {i}" for i in range(500)]
    return {"text": (words * 2)[:n], "x": rng.normal(size=n), "y": rng.choice(["a", "b", "c"], n)}


def pictures(folder, counts, *, deep=False):
    rng = np.random.default_rng(0)
    for name, n in counts.items():
        path = folder / name
        path.mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 65536 if deep else 256, (9, 7)).astype(np.uint16 if deep else np.uint8)
            Image.fromarray(pixels).save(path / f"{i}.png")


def exported(folder):
    networks = json.loads((folder / "out" / "front.json").read_text())
    return {path.name for path in (folder / "out" / networks[0]["folder"]).iterdir()}


def test_three_classes_and_a_text_column_of_500_categories_work(run):
    table("t.csv", columns())
    result = run("search", "t.csv", "--target", "y", *TINY)
    assert result.code == 0, result.err
    assert "mlp" in result.out


def test_16_bit_grey_images_and_a_class_with_three_work(run, tmp_path):
    pictures(tmp_path / "cwd" / "deep", {"often": 20, "rare": 3}, deep=True)
    result = run("search", "image-folder(path='deep', balanced=True)", "--minimize", "valid_balanced_error", *TINY)
    assert result.code == 0, result.err
    assert {"model.py", "weights.safetensors"} <= exported(tmp_path / "cwd")


@pytest.mark.parametrize("n", [1, 2])
def test_a_class_with_fewer_is_one_line(run, tmp_path, n):
    pictures(tmp_path / "cwd" / "photos", {"often": 20, "rare": n})
    result = run("search", "photos", *TINY)
    assert result.code == 2
    assert f"got {n} in class 'rare': add some, or leave that class out." in result.err
    assert result.err.count("\n") == 1


def test_a_target_with_missing_values_is_one_line(run, tmp_path):
    data = columns()
    data["y"] = ["" if i % 10 == 3 else label for i, label in enumerate(data["y"])]
    table("t.csv", data)
    result = run("search", "t.csv", "--target", "y", *TINY)
    assert result.code == 2
    assert "'y' must hold a value in every row, got 60 without one, the first in row 4; fill" in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "cwd" / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("t.csv",), "a table needs a target, got none; add --target with one of text, x, y"),
        (("t.csv", "--target", "z"), "the target must be a column, got 'z'"),
        (("digits", "--target", "y"), "a target is a column of a .csv or .parquet file, got 'y' for 'digits'"),
        (("t.csv", "--target", "y", "--space", "nasnet"), "(34,)"),
        (("t.csv", "--target", "y", "--baseline", "my.py:Net"), "a baseline's file must exist, got 'my.py'"),
    ],
)
def test_wrong_words_are_one_line(run, words, message):
    table("t.csv", columns())
    result = run("search", *words, *TINY)
    assert result.code == 2, result.err
    assert message in result.err
    assert result.err.count("\n") == 1
