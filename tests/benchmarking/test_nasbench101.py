"""NAS-Bench-101: the sample with its four schedules."""

from collections import Counter

import pytest

import nasturtium as nas
from nasturtium.benchmarking._nasbench101 import NASBench101Large
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UsageError
from nasturtium.trials import Fidelity


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
