"""The grid, its files and its report."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarking import (
    Grid,
    Protocol,
    Results,
    Run,
    curves,
    page,
    read_strategies,
    run_grid,
)
from nasturtium.benchmarking._run import greatest_hypervolume
from nasturtium.errors import NasturtiumError, UsageError
from nasturtium.spaces import choice, decisions, option

EVOLUTION = "regularized-evolution(population_size=4, sample_size=2)"


@pytest.fixture(scope="module")
def grid():
    return Grid(benchmarks.load("nasbench-graph-cora"), (EVOLUTION,), 3, Protocol(12))


@pytest.fixture(scope="module")
def results(grid):
    return Results(grid, run_grid(grid))


def but_cpu(runs):
    return [replace(run, cpu_milliseconds=0.0) for run in runs]


def test_random_search_is_always_in_the_grid(grid):
    assert grid.strategies == ("random-search", EVOLUTION)
    stated = Grid(grid.benchmark, ("random-search(repeats='allow')",), 1, Protocol(1))
    assert stated.strategies == ("random-search(repeats='allow')",)


@pytest.mark.parametrize("cut", [0, 20])
def test_an_interrupted_grid_goes_on_to_the_same_end(grid, results, tmp_path, cut):
    class StoppedError(Exception):
        pass

    def stop(over, total):
        if over == 4:
            raise StoppedError

    with pytest.raises(StoppedError):
        run_grid(grid, tmp_path, watch=stop)
    file = tmp_path / "runs.jsonl"
    file.write_text(file.read_text() + '{"strategy": "random-search", "seed"'[:cut])
    seen = []
    resumed = run_grid(grid, tmp_path, watch=lambda over, total: seen.append(over))
    assert seen == [4, 5, 6]
    assert but_cpu(resumed) == but_cpu(results.runs)


def test_processes_change_nothing(grid, results, tmp_path):
    assert but_cpu(run_grid(grid, tmp_path, processes=2)) == but_cpu(results.runs)


def test_a_folder_of_another_grid_is_refused(grid, tmp_path):
    run_grid(replace(grid, seeds=1), tmp_path)
    with pytest.raises(UsageError, match="take another --out"):
        run_grid(replace(grid, protocol=Protocol(13)), tmp_path)


def test_a_wrong_strategy_is_refused_before_the_first_run(grid):
    with pytest.raises(NasturtiumError, match="regularized-evolution"):
        replace(grid, strategies=("regularised-evolution",))


def test_files_hold_a_row_an_evaluation_and_the_means(results, tmp_path):
    results.write(tmp_path)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 12
    last = [float(row["report"]) for row in rows if row["strategy"] == EVOLUTION and row["evaluation"] == "12"]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert list(summary) == ["random-search", EVOLUTION]
    np.testing.assert_allclose(summary[EVOLUTION]["12"]["mean"], np.mean(last))
    np.testing.assert_allclose(summary[EVOLUTION]["12"]["standard_error"], np.std(last, ddof=1) / np.sqrt(3))
    statistics = json.loads((tmp_path / "statistics.json").read_text())
    assert statistics["strategies"]["random-search"]["distinct"] == 12


def test_the_page_shows_every_strategy_and_what_is_missing(results):
    html = page(results, curves(results))
    assert html.count("<svg") == 2
    assert EVOLUTION in html
    assert "not known to this report" in html
    assert "3 seeds; take 10 or more" in html
    assert "Hardware stated" in html
    assert "http" not in html.replace("http-equiv", "")


def test_lists_in_a_file_stand_for_each_of_their_values(tmp_path):
    file = tmp_path / "grid.toml"
    file.write_text('[[strategy]]\nname = "a"\n[[strategy]]\nname = "b"\nx = [1, 2]\ny = "z"\n')
    assert read_strategies(file) == ["a", "b(x=1, y='z')", "b(x=2, y='z')"]


@pytest.mark.parametrize("content", ["[[strategy", "strategy = 1", "[[strategy]]\nx = 1"])
def test_another_file_is_one_clear_line(tmp_path, content):
    file = tmp_path / "grid.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"grid\.toml"):
        read_strategies(file)


def test_an_empty_list_is_one_clear_line(tmp_path):
    file = tmp_path / "grid.toml"
    file.write_text('[[strategy]]\nname = "a"\nx = []\n')
    with pytest.raises(UsageError, match="an empty one for 'a'"):
        read_strategies(file)


def test_random_search_is_what_others_are_compared_with_wherever_it_is_written(grid):
    assert replace(grid, strategies=(EVOLUTION, "random-search")).strategies == ("random-search", EVOLUTION)


def test_a_wrong_scheduler_is_refused_before_the_first_run(grid):
    with pytest.raises(NasturtiumError, match="successive-halving"):
        replace(grid, protocol=Protocol(5, scheduler="succesive-halving"))


def test_another_column_of_a_table_of_one_name_is_another_grid(tmp_path):
    file = tmp_path / "my.csv"
    file.write_text("arch,a,b\n" + "".join(f'"{{""x"":{i}}}",{i},{9 - i}\n' for i in range(9)))
    space = decisions(x=choice(*range(9)))

    def run(column):
        table = benchmarks.from_table(file, space=space, minimize=column)
        return run_grid(Grid(table, (), 1, Protocol(3)), tmp_path / "out")

    run("a")
    with pytest.raises(UsageError, match="take another --out"):
        run("b")


@pytest.mark.parametrize("content", ["", '{"benchmark": "nasb'])
def test_a_file_without_its_first_line_is_begun_anew(grid, results, tmp_path, content):
    (tmp_path / "runs.jsonl").write_text(content)
    run_grid(replace(grid, seeds=1), tmp_path)
    assert len(run_grid(grid, tmp_path)) == len(results.runs)
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 1 + len(results.runs)


def test_a_grid_goes_on_after_a_strategy_that_does_not_fit(tmp_path):
    benchmark = benchmarks.load("nasbench201-cifar10-e12-edgegpu")
    with pytest.raises(NasturtiumError, match="handles one objective"):
        run_grid(Grid(benchmark, ("cgp",), 1, Protocol(1)), tmp_path)
    assert len(run_grid(Grid(benchmark, ("nsga2",), 1, Protocol(1)), tmp_path)) == 2


def test_the_expectation_is_left_out_where_it_does_not_follow_from_the_table(tmp_path):
    file = tmp_path / "my.csv"
    file.write_text('arch,a\n"{""x"":""u""}",1\n')
    uneven = decisions(x=choice("u", option("v", y=choice(1, 2))))
    table = benchmarks.from_table(file, space=uneven, minimize="a")
    assert Results(Grid(table, (), 1, Protocol(3)), []).expectation == {}
    halved = Grid(benchmarks.load("nasbench-graph-cora"), (), 1, Protocol(3, scheduler="successive-halving"))
    assert Results(halved, []).expectation == {}


def test_a_run_that_found_the_whole_front_is_at_the_optimum():
    benchmark = benchmarks.load("nasbench201-cifar10-e12-edgegpu")
    found = [
        Run("random-search", seed, (v,), (), (), 1, 0.0)
        for seed, v in enumerate((greatest_hypervolume(benchmark), 0.5))
    ]
    assert Results(Grid(benchmark, (), 2, Protocol(1)), found).shares_of_optimum() == {"random-search": 0.5}


HOLDER = """
import sys, time
from pathlib import Path
from nasturtium.benchmarking._grid import _locked
with _locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_kept_out_of_the_folder_until_it_is_gone(grid, tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="another process runs one; wait for it, or take another --out"):
            run_grid(replace(grid, seeds=1), tmp_path)
        other.kill()
    assert len(run_grid(replace(grid, seeds=1), tmp_path)) == 2
