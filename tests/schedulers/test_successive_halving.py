"""Successive halving: the brackets of the paper, and who is promoted."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.schedulers import SuccessiveHalving
from nasturtium.strategies import RandomSearch, Strategy
from nasturtium.testing import ToyLearner
from nasturtium.testing._examples import Unlucky
from nasturtium.testing._running import run, setting_of
from nasturtium.testing._toys import table
from nasturtium.trials import (
    Asked,
    Decision,
    Ended,
    Fidelity,
    Log,
    Measured,
    Measurement,
    Proposal,
    State,
    ranking,
)

TOY = table()
RUNGS = [Fidelity(1, schedule=9), Fidelity(3, schedule=9), Fidelity(9)]


def ran(trials, *, bracket=9, eta=3, workers=1, estimator=None, seed=0):
    chosen = estimator or ToyLearner(TOY.metrics)
    scheduler = SuccessiveHalving(bracket, eta)
    log = run(
        RandomSearch(),
        TOY.space,
        chosen,
        trials=trials,
        seed=seed,
        workers=workers,
        scheduler=scheduler,
    )
    return log.history()


def legs(history):
    """Return how many trials ended a leg at each rung."""
    return Counter(m.step for t in history.trials() for m in t.measurements if m.checkpoint)


# --- brackets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 4])
def test_a_bracket_of_nine_takes_nine_then_three_then_one(workers):
    history = ran(9, workers=workers)
    assert legs(history) == {1: 9, 3: 3, 9: 1}
    assert len(history.finished()) == 1
    assert len(history.trials(State.STOPPED)) == 8
    assert {t.reason for t in history.trials(State.STOPPED)} == {"not promoted"}


def test_three_brackets_are_three_times_as_much():
    assert legs(ran(27)) == {1: 27, 3: 9, 9: 3}


def test_the_last_bracket_may_be_smaller():
    assert legs(ran(8)) == {1: 8, 3: 2, 9: 1}
    assert legs(ran(13)) == {1: 13, 3: 4, 9: 2}


@pytest.mark.parametrize(
    ("bracket", "eta", "expected"),
    [
        (27, 3, {1: 27, 3: 9, 9: 3}),
        (9, 2, {1: 9, 3: 4, 9: 2}),
        (10, 3, {1: 10, 3: 3, 9: 1}),
        (4, 3, {1: 4, 3: 1, 9: 1}),
        (2, 3, {1: 2, 3: 1, 9: 1}),
    ],
)
def test_one_in_eta_is_promoted_rounded_down_but_at_least_one(bracket, eta, expected):
    assert legs(ran(bracket, bracket=bracket, eta=eta)) == expected


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_promoted_are_the_best_at_their_rung(workers, seed):
    history = ran(9, workers=workers, seed=seed)
    at_first = [t.measurements[1].metrics["loss"] for t in history.trials()]
    best = set(np.argsort(at_first)[:3].tolist())
    assert {t.number for t in history.trials() if t.step >= 3} == best
    at_second = {n: history.trial(n).measurements[3].metrics["loss"] for n in best}
    assert [t.number for t in history.finished()] == [min(at_second, key=at_second.get)]


def test_a_training_in_legs_ends_where_one_without_does():
    history = ran(9)
    trial = history.finished()[0]
    steps = [m.step for m in trial.measurements]
    assert steps == list(range(10))
    whole = run(_Only(trial.architecture), TOY.space, ToyLearner(TOY.metrics), trials=1)
    assert whole.history().trial(0).metrics == trial.metrics


class _Only(Strategy):
    def __init__(self, architecture):
        self.architecture = architecture

    def ask(self, history, n):
        return [Proposal(self.architecture)]


# --- failures ------------------------------------------------------------------------------------


def log_with(outcomes, rung=RUNGS[0]):
    """Return a log of one bracket whose trials had these losses at a rung, or failed."""
    setting = setting_of(TOY.space, ToyLearner(TOY.metrics))
    log = Log(setting)
    rng = np.random.default_rng(0)
    for number, loss in enumerate(outcomes):
        log.append([Asked(number, Proposal(TOY.space.sample(rng)), len(log), rung)])
        if loss == "running":
            continue
        if loss == "failed":
            log.append([Ended(number, State.FAILED, "died")])
        else:
            log.append([Measured(number, Measurement(rung.epochs, {"loss": loss}))])
            log.append([Ended(number, State.PAUSED)])
    return log


def promoted(log):
    """Return who goes on, one after the other, none of which ends."""
    numbers = []
    while True:
        proposal = SuccessiveHalving().promote(log.history())
        if proposal is None:
            return numbers
        numbers.append(proposal.resume)
        log.append([Asked(proposal.resume, proposal, len(log), proposal.fidelity)])


def test_nobody_goes_on_before_all_have_arrived():
    assert promoted(log_with([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, "running"])) == []
    assert promoted(log_with([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])) == []


def test_the_best_goes_on_first_to_the_next_rung():
    log = log_with([0.9, 0.2, 0.3, 0.4, 0.1, 0.6, 0.7, 0.8, 0.5])
    first = SuccessiveHalving().promote(log.history())
    assert (first.resume, first.fidelity) == (4, RUNGS[1])
    assert promoted(log) == [4, 1, 2]


def test_failed_trials_and_those_without_a_value_are_not_promoted():
    nan = float("nan")
    assert promoted(log_with(["failed", nan, 0.3, 0.4, "failed", 0.6, nan, 0.8, 0.9])) == [2, 3, 5]
    assert promoted(log_with(["failed"] * 7 + [0.8, 0.9])) == [7, 8]
    assert promoted(log_with(["failed"] * 9)) == []


def test_ties_go_to_the_earlier_trial():
    assert promoted(log_with([0.5] * 9)) == [0, 1, 2]


def test_who_fails_at_a_higher_rung_is_not_replaced():
    log = log_with([0.1 * n for n in range(9)])
    assert promoted(log) == [0, 1, 2]
    log.append([Ended(1, State.FAILED, "died")])
    assert promoted(log) == []


def test_who_is_not_promoted_is_retired():
    log = log_with([0.9, 0.2, 0.3, "failed", 0.1, 0.6, 0.7, float("nan"), 0.5])
    assert SuccessiveHalving().retire(log.history()) == [0, 5, 6, 7, 8]
    assert SuccessiveHalving().retire(log_with([0.1] * 8 + ["running"]).history()) == []


def test_studies_with_failing_trials_end_too():
    history = ran(27, estimator=Unlucky(ToyLearner(TOY.metrics)), workers=3)
    assert history.n_under_way == 0
    assert history.trials(State.FAILED)
    assert history.finished()


def test_several_objectives_are_ranked_by_front():
    space, learner = TOY.space, ToyLearner(TOY.metrics)
    objectives = ("loss", "size")
    log = run(RandomSearch(), space, learner, trials=9, objectives=objectives, scheduler=SuccessiveHalving())
    history = log.history()
    losses = history.losses(at=RUNGS[0])
    expected = set(ranking(losses)[:3].tolist())
    assert {t.number for t in history.trials() if t.step >= 3} == expected


# --- arguments -----------------------------------------------------------------------------------


def test_the_first_leg_ends_at_the_lowest_rung():
    log = log_with([])
    assert SuccessiveHalving().first(log.history(), 0) == RUNGS[0]


def test_it_stops_nobody():
    log = log_with([0.5])
    trial = log.history().trial(0)
    decision = SuccessiveHalving().decide(log.history(), trial, trial.measurements[0])
    assert decision is Decision.CONTINUE


@pytest.mark.parametrize(("bracket", "eta"), [(0, 3), (9, 1)])
def test_impossible_arguments_are_refused(bracket, eta):
    with pytest.raises(UsageError, match="bracket is at least 1 and eta at least 2"):
        SuccessiveHalving(bracket, eta)
