"""The fidelity audit: sample, result and what a search makes of it."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium import _audit as audit_module
from nasturtium import _audit_statistics as audit_statistics
from nasturtium._audit import (
    Listed,
    audited,
    cheap_fidelities,
    plan_audit,
    recommend,
    recommended_training,
    run_audit,
    sampled,
)
from nasturtium._audit_page import audit_page
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UsageError
from nasturtium.estimators import Estimator
from nasturtium.spaces import load
from nasturtium.storage import open_storage
from nasturtium.tasks import Task
from nasturtium.trials import Fidelity, Measurement, Rung

FULL = Fidelity(8)
CHEAP = (Fidelity(4), Fidelity(1))


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    y = np.arange(400) % 4
    x = rng.normal(size=(400, 1, 8, 8)).astype(np.float32)
    x[np.arange(400), 0, 2 * y] += 1.0
    return Task.from_tensors(x, y, name="stripes")


@pytest.fixture(scope="module")
def space(task):
    return load("nasbench201", cells=2, filters=4).on(task)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Let intervals cost little."""
    monkeypatch.setattr(audit_statistics, "RESAMPLES", 100)


class Noisy(Estimator):
    """The error is a number of the architecture and noise that falls with the epochs."""

    def ladder(self):
        return (Rung(FULL),)

    def evaluate(self, assignment, context):
        rng = np.random.default_rng(context.seed)
        epochs = assignment.fidelity.epochs
        truth = np.random.default_rng(int(assignment.architecture.key[:8], 16)).normal()
        noise = {8: 0.3, 4: 0.6, 1: 3.0}[epochs] * rng.normal()
        yield Measurement(epochs, {"valid_error": truth + noise}, float(epochs))


def test_the_sample_covers_all_costs_with_different_functions(space):
    found = sampled(space, 20, np.random.default_rng(0))
    graphs = [space.graph(a) for a in found]
    assert len({graph.key for graph in graphs}) == 20
    flops = sorted(graph.flops for graph in graphs)
    many = [space.cost(space.sample(np.random.default_rng(k)), "flops") for k in range(200)]
    assert flops[2] <= np.quantile(many, 0.25)
    assert flops[-3] >= np.quantile(many, 0.75)


def test_each_evaluation_has_its_own_seed(space):
    architectures = sampled(space, 3, np.random.default_rng(0))
    strategy = Listed(architectures, (*CHEAP, FULL, FULL))
    study = nas.Study(space=space, estimator=Noisy())
    study.run(strategy, trials=100, seed=0, executor=SimulatedExecutor())
    asked = [(t.architecture, t.proposal.replicate, t.fidelity) for t in study.history.trials()]
    assert asked == [(a, k, f) for a in architectures for k, f in enumerate((*CHEAP, FULL, FULL))]


def test_the_result_is_that_of_the_known_noise(space):
    strategy = Listed(sampled(space, 40, np.random.default_rng(0)), (*CHEAP, FULL, FULL))
    study = nas.Study(space=space, estimator=Noisy())
    study.run(strategy, trials=1000, seed=0, executor=SimulatedExecutor())
    found = audited(study.history, FULL)
    assert (found.n_architectures, found.seconds) == (40, 8.0)
    one, four = found.findings
    assert [(f.fidelity, f.share) for f in (one, four)] == [(Fidelity(1), 1 / 8), (Fidelity(4), 1 / 2)]
    # Pearson's correlations are 1 / sqrt((1 + a^2) (1 + b^2)) for noise a and b; ranks come close.
    assert found.ceiling.value == pytest.approx(1 / 1.09, abs=0.07)
    assert four.all.low < 1 / np.sqrt(1.09 * 1.36) < four.all.high
    assert one.all.low < 1 / np.sqrt(1.09 * 10) < one.all.high
    assert four.better.value < four.all.value
    assert found.recommended[5] != Fidelity(1)


def test_an_architecture_without_all_fidelities_is_left_out(space):
    strategy = Listed(sampled(space, 10, np.random.default_rng(0)), (*CHEAP, FULL, FULL))
    study = nas.Study(space=space, estimator=Noisy())
    study.run(strategy, trials=31, seed=0, executor=SimulatedExecutor())
    assert audited(study.history, FULL).n_architectures == 7
    short = nas.Study(space=space, estimator=Noisy()).run(strategy, trials=8, seed=0, executor=SimulatedExecutor())
    with pytest.raises(UsageError, match="six networks with all fidelities, got 2"):
        audited(short.history, FULL)


def test_the_more_time_the_better_an_estimate_is_recommended(space):
    strategy = Listed(sampled(space, 40, np.random.default_rng(0)), (*CHEAP, FULL, FULL))
    study = nas.Study(space=space, estimator=Noisy())
    study.run(strategy, trials=1000, seed=0, executor=SimulatedExecutor())
    found = audited(study.history, FULL)
    epochs = [recommend(found.findings, FULL, found.ceiling.value, b).epochs for b in (1, 10, 1000, 100_000)]
    assert epochs == sorted(epochs)
    assert epochs[0] < epochs[-1] == 8


def test_what_is_compared_fits_space_and_task(task, space):
    fidelities = cheap_fidelities(Fidelity(8), space, task)
    assert Fidelity(4, fraction=0.5) in fidelities
    assert {f.width for f in fidelities} == {1.0, 0.5}
    assert {f.cells for f in fidelities} == {None, 1}
    assert {f.resolution for f in fidelities} == {1.0}  # images of 8 x 8 are small enough
    chain = cheap_fidelities(Fidelity(2), load("chain").on(task), task)
    assert {(f.epochs, f.width, f.cells) for f in chain} == {(1, 1.0, None)}


def test_a_real_one_and_the_search_that_takes_it(task, space, monkeypatch, tmp_path):
    monkeypatch.setattr(audit_module, "plan_audit", lambda *_: Fidelity(2))
    monkeypatch.setattr(audit_module, "MOST", 6)
    storage = open_storage(f"sqlite:///{tmp_path}/s.db")
    with pytest.raises(UsageError, match="got none in this storage"):
        recommended_training(storage, task.content, space)
    found = run_audit(task, space, minutes=5, storage=storage, name="audit")
    assert found.n_architectures == 6
    assert all(-1 <= f.all.low <= f.all.value <= f.all.high <= 1 for f in found.findings)
    assert audit_page(found) is not None
    training = recommended_training(storage, task.content, space)
    assert training.ladder()[-1].fidelity == found.recommended[20]
    assert recommended_training(storage, task.content, space, 1e-3).ladder()[-1].fidelity == found.recommended[5]
    study = nas.search(task, space=space, estimator="auto", trials=2, storage=storage, name="s", executor="inline")
    assert study.estimator == training
    with pytest.raises(UsageError, match="got none in this storage"):
        recommended_training(storage, "other data", space)


def test_with_less_time_a_full_training_has_less_data_then_smaller_networks(task, space, monkeypatch):
    # An epoch of whole networks takes 10 s; of smaller ones by their number of cells and filters.
    monkeypatch.setattr(audit_module, "time_epoch", lambda space, _: 10 * space.cells / 2 * space.filters / 4)
    fulls = [plan_audit(space, task, seconds, 1) for seconds in (20_000, 900, 400, 200, 150)]
    assert [(f.fraction, f.width, f.cells) for f in fulls] == [
        (1.0, 1.0, None),
        (0.25, 1.0, None),
        (0.25, 1.0, 1),
        (0.25, 0.5, 1),
        (0.1, 0.5, 1),
    ]
    assert {f.width for f in cheap_fidelities(fulls[-1], space, task)} == {0.5, 0.25}
    assert {f.cells for f in cheap_fidelities(fulls[-1], space, task)} == {1}


def test_too_little_time_says_so(task, space, monkeypatch):
    monkeypatch.setattr(audit_module, "time_epoch", lambda *_: 10.0)
    with pytest.raises(UsageError, match="an audit trains 12 networks at every fidelity"):
        run_audit(task, space, minutes=1)
