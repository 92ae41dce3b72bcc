"""Every benchmark in the list: the laws, what a strategy sees, and random search against its exact expectation."""

from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, final

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UnknownNameError
from nasturtium.strategies import RandomSearch, Strategy
from nasturtium.testing._estimators import check_estimator
from nasturtium.trials import Proposal

NAMES = nas.benchmarks.names()
TABLES = [name for name in NAMES if len(nas.benchmarks.load(name).objectives) == 1]
"""Those with a latency besides have the errors of one of these."""

LIKE_OTHERS = {f"nasbench-graph-{data}" for data in ("citeseer", "computers", "photo")} | {
    f"nasbench101-14k-e{epochs}" for epochs in (4, 12, 36)
}
"""Other columns of a table that is checked."""


@cache
def outcomes(name):
    """Return signal and report of every member of the space, and the share of members in the table."""
    benchmark = nas.benchmarks.load(name)
    return benchmark.values(benchmark.objectives[0], benchmark.reports[0])


def best_of_random(name, n, seed):
    """Return the report of the incumbent of a study with random search."""
    benchmark = nas.benchmarks.load(name)
    study = nas.Study(space=benchmark.space, estimator=benchmark.estimator, objectives=benchmark.objectives[:1])
    study.run(RandomSearch(repeats="allow"), trials=n, seed=seed, executor=SimulatedExecutor())
    return benchmark.estimator.report(study.front()[0].architecture)[benchmark.reports[0]]


@pytest.mark.parametrize("name", NAMES)
def test_estimator_laws(name):
    benchmark = nas.benchmarks.load(name)
    check_estimator(benchmark.estimator, benchmark.space)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name):
    benchmark = nas.benchmarks.load(name)
    assert benchmark.name == name
    assert benchmark.reference
    assert set(benchmark.optimum) == {*benchmark.objectives, *benchmark.reports}
    assert set(benchmark.objectives) <= set(benchmark.estimator.metrics())
    assert not set(benchmark.reports) & set(benchmark.estimator.metrics())
    table = benchmark.estimator.table
    assert benchmark.optimum == {column: np.nanmin(table.column(column)) for column in benchmark.optimum}
    assert all(benchmark.regret(column, best) == 0 for column, best in benchmark.optimum.items())


# The small cells of NAS-Bench-101 are not drawn uniformly: see test_nasbench101.py.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in LIKE_OTHERS else ())
        for name in TABLES
        if name != "nasbench101-5v-e4"
    ],
)
def test_random_search_has_its_exact_expectation(name):
    values, report = outcomes(name).T
    n, n_seeds = 5, 30
    found = [best_of_random(name, n, seed) for seed in range(n_seeds)]
    expected = nas.benchmarks.expected_best(values, n, report)
    assert abs(np.mean(found) - expected) < 3 * np.std(found, ddof=1) / n_seeds**0.5


@final
@dataclass(frozen=True)
class Spy(Strategy):
    """Looks for report values wherever a strategy can look."""

    found: list = field(default_factory=list)
    multi_objective: ClassVar[bool] = True

    def ask(self, history, n):
        for trial in history.trials():
            self.found.extend([trial.report, *(m.report for m in trial.measurements)])
            self.found.extend({k: v} for k, v in trial.metrics.items() if k.startswith("test"))
        self.found.extend({"estimator": 1.0} for name in dir(history.study) if name == "estimator")
        rng = np.random.default_rng(history.n_trials)
        return [Proposal(history.study.space.sample(rng)) for _ in range(n)]


@pytest.mark.parametrize("name", NAMES)
def test_no_strategy_sees_a_report(name):
    benchmark = nas.benchmarks.load(name)
    spy = Spy()
    study = nas.Study(space=benchmark.space, estimator=benchmark.estimator, objectives=benchmark.objectives)
    study.run(spy, trials=5, seed=0, executor=SimulatedExecutor())
    assert len(spy.found) > 5
    assert all(not values for values in spy.found)
    trial = study.history.finished()[0]
    assert trial.report == benchmark.estimator.report(trial.architecture)  # but the log has it


def test_unknown_name_offers_a_near_one():
    with pytest.raises(UnknownNameError, match="did you mean 'nasbench201-cifar10-e12'"):
        nas.benchmarks.load("nasbench201-cifar10-e13")


def test_a_column_without_optimum_has_no_regret():
    with pytest.raises(nas.errors.UsageError, match="did you mean 'test_error'"):
        nas.benchmarks.load("nasbench-graph-cora").regret("test_eror", 0.1)
