"""Curves over evaluations and over simulated time."""

import csv
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarking import Grid, Protocol, Results, Run, curves, write_curves

CORA = benchmarks.load("nasbench-graph-cora")


def made(report, seconds):
    """Return the results of two runs of random search with these columns."""
    runs = [
        Run("random-search", seed, tuple(r), tuple(r), tuple(s), 3, 0.1)
        for seed, (r, s) in enumerate(zip(report, seconds, strict=True))
    ]
    return Results(Grid(CORA, (), len(runs), Protocol(len(report[0]))), runs)


@pytest.fixture
def results():
    return made([[0.5, 0.3, 0.2], [0.4, 0.4, 0.1]], [[1.0, 2.0, 3.0], [2.0, 4.0, 5.0]])


def test_means_and_quantiles_over_evaluations(results):
    over, _ = curves(results)
    assert over.over == "evaluations"
    assert over.at.tolist() == [1, 2, 3]
    band = over.bands["random-search"]
    np.testing.assert_allclose(band[0], [0.45, 0.35, 0.15])
    np.testing.assert_allclose(band[[2, 4]], np.quantile([[0.5, 0.3, 0.2], [0.4, 0.4, 0.1]], (0.25, 0.75), axis=0))


def test_over_time_a_value_counts_from_the_moment_on_at_which_it_was_known(results):
    _, over = curves(results)
    assert over.at[-1] == 4.0, "the mean end"
    mean = dict(zip(over.at.round(2).tolist(), over.bands["random-search"][0], strict=True))
    assert np.isnan(mean[0.96])
    assert mean[1.0] == 0.5, "only the first run has a value"
    assert mean[2.0] == pytest.approx((0.3 + 0.4) / 2)
    assert mean[3.0] == pytest.approx((0.2 + 0.4) / 2)


def test_files_hold_what_is_drawn(results, tmp_path):
    write_curves(curves(results), "test_error", tmp_path)
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["over"] for row in rows] == ["evaluations"] * 3 + ["simulated seconds"] * 100
    assert float(rows[1]["mean"]) == pytest.approx(0.35)
    for name in ("evaluations.svg", "seconds.svg"):
        root = ET.parse(tmp_path / name).getroot()
        assert "random-search" in "".join(root.itertext())


def test_long_runs_are_drawn_by_a_hundred_points(tmp_path):
    long = made([np.linspace(1, 0, 1000).tolist()], [np.arange(1.0, 1001).tolist()])
    for each in curves(long):
        assert len(each.at) == 100
        assert each.at[-1] == 1000
    write_curves(curves(long), "test_error", tmp_path)
    assert (tmp_path / "evaluations.svg").stat().st_size < 10_000
