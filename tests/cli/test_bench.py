"""``nasturtium bench``."""

import csv
import json

import pytest

from nasturtium import benchmarks

QUICK = ("--trials", 8, "--seeds", 2, "--jobs", 1)


def test_a_benchmark_is_compared_from_the_command_line(run):
    result = run("bench", "nasbench-graph-cora", "--strategy", "regularized-evolution", *QUICK, "--out", "out")
    assert result.code == 0, result.err
    assert "exact expectation" in result.out
    with open("out/summary.json") as file:
        assert list(json.load(file)) == ["random-search", "regularized-evolution"]
    with open("out/results.csv") as file:
        assert len(list(csv.DictReader(file))) == 2 * 2 * 8
    with open("out/report.html") as file:
        assert "Comparison on nasbench-graph-cora" in file.read()


def test_a_grid_file_adds_strategies(run, tmp_path):
    (tmp_path / "grid.toml").write_text('[[strategy]]\nname = "random-search"\nrepeats = ["allow", "avoid"]\n')
    result = run("bench", "nasbench-graph-cora", "--grid", tmp_path / "grid.toml", *QUICK)
    assert result.code == 0, result.err
    assert "random-search(repeats='allow')" in result.out


def test_a_users_table(run, tmp_path):
    space = benchmarks.load("nasbench201-cifar10-e12").space
    texts = [space.text(architecture) for _, architecture in zip(range(30), space, strict=False)]
    rows = "".join(f"{text},{0.5 + i / 100},{0.4 + i / 100}\n" for i, text in enumerate(texts))
    (tmp_path / "my.csv").write_text("arch,val_acc,test_acc\n" + rows)
    columns = ("--space", "nasbench201", "--maximize", "val_acc", "--report", "test_acc")
    result = run("bench", tmp_path / "my.csv", *columns, *QUICK)
    assert result.code == 0, result.err
    assert "test_error" in result.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nasbench201-cifar10"], "unknown benchmark"),
        (["my.csv"], "--space"),
        (["nasbench-graph-cora", "--maximize", "val"], "are for tables"),
        (["nasbench-graph-cora", "--strategy", "regularised-evolution"], "regularized-evolution"),
        (["nasbench-graph-cora", "--seeds", "0"], "--seeds 20"),
        (["nasbench-graph-cora", "--grid", "none.toml"], "none.toml"),
    ],
)
def test_wrong_usage_is_one_line(run, tmp_path, words, message):
    result = run("bench", *words, "--out", "out")
    assert result.code == 2
    assert message in result.err
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "cwd" / "out").exists()
