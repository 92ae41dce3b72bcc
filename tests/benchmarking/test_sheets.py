"""The tables of a comparison."""

import pytest

from nasturtium import benchmarks
from nasturtium.benchmarking import Grid, Protocol, Results, facts, means, run_grid
from nasturtium.benchmarking._sheets import tests as paired_tests

EVOLUTION = "regularized-evolution(population_size=4, sample_size=2)"


@pytest.fixture(scope="module")
def results():
    grid = Grid(benchmarks.load("nasbench201-cifar10-e12"), (EVOLUTION,), 4, Protocol(20))
    return Results(grid, run_grid(grid))


def column(sheet, head):
    return {row[0]: row[sheet.heads.index(head)] for row in sheet.rows}


def test_means_stand_beside_the_expectation_and_the_optimum(results):
    sheet = means(results)
    assert sheet.heads == ("strategy", "10", "20")
    last = column(sheet, "20")
    summary = results.summaries[EVOLUTION][20]
    assert last[EVOLUTION] == (
        f"{100 * summary.mean:.2f} ± {100 * summary.sd:.2f} ({100 * summary.standard_error:.2f}) %"
    )
    assert last["optimum of the table"] == "5.63 %", "100 less the published 94.37"
    assert last["random draws, exact expectation"] == f"{100 * results.expectation[20]:.2f} %"


def test_the_regret_is_what_the_mean_lacks_to_the_optimum(results):
    regret = column(facts(results), "regret")
    for strategy in results.grid.strategies:
        mean = results.summaries[strategy][20].mean
        assert regret[strategy] == f"{100 * (mean - results.grid.benchmark.optimum['test_error']):.2f} %"


def test_the_difference_from_random_search_is_that_of_the_paired_test(results):
    (test,) = results.comparisons
    row = next(row for row in facts(results).rows if row[0] == EVOLUTION)
    assert row[-2:] == (f"{-100 * test.difference:.2f} %", f"{test.p:.2g}")
    assert [row[0] for row in paired_tests(results).rows] == [f"random-search minus {EVOLUTION}"]


def test_the_regret_of_a_front_is_the_hypervolume_that_it_lacks():
    grid = Grid(benchmarks.load("nasbench201-cifar10-e12-edgegpu"), (), 2, Protocol(10))
    results = Results(grid, run_grid(grid))
    sheet = facts(results)
    mean = results.summaries["random-search"][10].mean
    assert 0 < mean < results.optimum < 1
    assert float(column(sheet, "regret")["random-search"]) == pytest.approx(results.optimum - mean, abs=5e-5)
    assert "whole front" in sheet.note
