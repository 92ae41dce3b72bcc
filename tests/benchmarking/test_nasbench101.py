"""NAS-Bench-101: the complete table of small cells, and the sample."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.benchmarking import expected_best, table
from nasturtium.benchmarking._nasbench101 import SMALL, NASBench101Large, NASBench101Sample
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UsageError
from nasturtium.strategies import RandomSearch
from nasturtium.testing import space_checks
from nasturtium.trials import Fidelity


def test_the_table_has_every_small_cell_once():
    estimator = nas.benchmarks.load("nasbench101-5v-e4").estimator
    rows = Counter(estimator.row(architecture) for architecture in SMALL.distinct())
    assert rows == dict.fromkeys(range(2532), 1)


def test_parameters_are_those_of_the_graph():
    benchmark = nas.benchmarks.load("nasbench101-5v-e4")
    for seed in range(5):
        architecture = SMALL.sample(np.random.default_rng(seed))
        row = benchmark.estimator.row(architecture)
        assert SMALL.graph(architecture).params == table("nasbench101-5v")["params"][row]
    sample = NASBench101Sample()
    for cell in (0, 1, 13_999):
        architecture = sample.parse(f'{{"cell":{cell}}}')
        assert sample.graph(architecture).params == table("nasbench101-14k")["params"][cell]


def draws():
    """Return the row of every draw of the authors' sampling, which are equally likely."""
    rows = []
    estimator = nas.benchmarks.load("nasbench101-5v-e4").estimator
    for bits in product((0, 1), repeat=10):
        entries = iter(bits)
        matrix = [[next(entries) if u < v else 0 for v in range(5)] for u in range(5)]
        for codes in product((0, 1, 2), repeat=3):
            try:
                rows.append(estimator.row(SMALL.from_matrix(matrix, [-1, *codes, -2])))
            except UsageError:
                break  # no path, or too many edges: whatever the operations
    return rows


def test_random_search_has_its_exact_expectation():
    benchmark = nas.benchmarks.load("nasbench101-5v-e4")
    columns = [benchmark.estimator.table.column(c)[draws()] for c in ("valid_error", "test_error")]
    found = []
    for seed in range(40):
        study = nas.Study(space=SMALL, estimator=benchmark.estimator)
        study.run(RandomSearch(repeats="allow"), trials=5, seed=seed, executor=SimulatedExecutor())
        found.append(benchmark.estimator.report(study.front()[0].architecture)["test_error"])
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - expected_best(columns[0], 5, columns[1])) < 3 * error


def test_halving_on_four_schedules():
    benchmark = nas.benchmarks.load("nasbench101-14k-e108")
    assert [rung.fidelity for rung in benchmark.estimator.ladder()] == [Fidelity(e) for e in (4, 12, 36, 108)]
    study = nas.Study(space=benchmark.space, estimator=benchmark.estimator, scheduler="successive-halving(bracket=27)")
    study.run("random-search", trials=27, seed=0, executor=SimulatedExecutor())
    reached = Counter(trial.reached.epochs for trial in study.history.trials())
    assert reached == {4: 18, 12: 6, 36: 2, 108: 1}


def test_unknown_epochs():
    with pytest.raises(UsageError, match="epochs is one of"):
        NASBench101Large(50)


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in space_checks()])
def test_space_law(check):
    check(NASBench101Sample())
