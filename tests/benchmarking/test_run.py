"""One run on a benchmark."""

import time

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarking import Protocol, Run, run_once
from nasturtium.benchmarking._run import _hypervolumes, _incumbents
from nasturtium.spaces._base import _identity
from nasturtium.trials import hypervolume


@pytest.fixture(scope="module")
def cora():
    return benchmarks.load("nasbench-graph-cora")


def test_the_report_is_that_of_the_best_by_the_signal_not_the_best_report(cora):
    run = run_once(cora, "random-search", 3, Protocol(40))
    assert run.search == tuple(sorted(run.search, reverse=True))
    assert run.report != tuple(np.minimum.accumulate(run.report)), "the best by validation is not always best by test"


def test_the_clock_is_shared_by_simulated_workers(cora):
    one = run_once(cora, "random-search", 0, Protocol(20))
    four = run_once(cora, "random-search", 0, Protocol(20, workers=4))
    assert one.seconds[-1] / 4 <= four.seconds[-1] < one.seconds[-1] / 2
    assert list(four.seconds) == sorted(four.seconds)


def test_a_run_depends_on_strategy_and_seed_alone(cora):
    first, again, other = (run_once(cora, "random-search", seed, Protocol(10)) for seed in (0, 0, 1))
    assert (first.search, first.report, first.seconds) == (again.search, again.report, again.seconds)
    assert first.search != other.search


def test_json_keeps_every_number(cora):
    run = run_once(cora, "random-search", 0, Protocol(5))
    assert Run.from_json(run.to_json()) == run


def test_failed_evaluations_count_and_are_no_incumbents():
    assert _incumbents(np.array([np.nan, 0.3, 0.4, 0.3, 0.1])) == [None, 1, 1, 1, 4]


def test_hypervolumes_are_those_of_the_whole_prefix():
    losses = np.random.default_rng(0).uniform(size=(30, 2))
    losses[7] = np.nan
    box = np.array([[0.0, 0.0], [1.0, 1.0]])
    expected = [hypervolume(losses[: k + 1][~np.isnan(losses[: k + 1]).any(axis=1)], np.ones(2)) for k in range(30)]
    np.testing.assert_allclose(_hypervolumes(losses, box), expected)


def test_a_pareto_benchmark_is_judged_by_the_share_of_its_reference_box():
    name = next(name for name in benchmarks.names() if len(benchmarks.load(name).objectives) > 1)
    run = run_once(benchmarks.load(name), "random-search", 0, Protocol(15))
    assert 0 < run.search[0] <= run.search[-1] < 1


def test_the_first_run_pays_no_more_than_those_after_it():
    cells = benchmarks.load("nasbench201-cifar10-e12")
    n_keys = []
    for _ in range(2):
        run_once(cells, "random-search", 0, Protocol(30))
        n_keys.append(_identity.cache_info().misses)
    assert n_keys[0] == n_keys[1] >= 30


def test_what_is_looked_up_is_not_charged_to_the_strategy(cora, monkeypatch):
    looked_up = type(cora.estimator).row

    def slow(self, architecture):
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return looked_up(self, architecture)

    monkeypatch.setattr(type(cora.estimator), "row", slow)
    assert run_once(cora, "random-search", 0, Protocol(5)).cpu_milliseconds < 15
