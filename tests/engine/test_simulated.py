"""The virtual clock: order of arrival, budgets, stopping, promotions, the search's own time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import pytest

from nasturtium import Study
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UsageError
from nasturtium.estimators import Estimator, Function
from nasturtium.schedulers import Scheduler, SuccessiveHalving
from nasturtium.spaces import choice, decisions
from nasturtium.strategies import Strategy
from nasturtium.trials import Decision, Fidelity, Measurement, Proposal, Rung, State

SPACE = decisions(seconds=choice(*range(1, 101)))
TIMED = Function(lambda a: {"valid_error": a["seconds"] / 100, "seconds": float(a["seconds"])})


@final
@dataclass(frozen=True)
class Listed(Strategy):
    """Proposes architectures of the given seconds, in order."""

    seconds: tuple[int, ...]
    thinks: float = 0.0

    def ask(self, history, n):
        until = time.process_time() + self.thinks
        while time.process_time() < until:
            pass
        left = self.seconds[history.n_trials : history.n_trials + n]
        return [Proposal(SPACE.parse(f'{{"seconds":{s}}}')) for s in left]


@final
@dataclass(frozen=True)
class Epochs(Estimator):
    """One second an epoch and a tenth for what is free; the loss is the architecture's number."""

    def evaluate(self, assignment, context) -> Iterator[Measurement]:
        loss = assignment.architecture["seconds"] / 100
        for step in range(assignment.start + (assignment.start > 0), assignment.fidelity.epochs + 1):
            yield Measurement(step, {"valid_error": loss}, 1.0 if step else 0.1)

    def ladder(self):
        return (Rung(Fidelity(1, schedule=9), 1 / 9), Rung(Fidelity(3, schedule=9), 1 / 3), Rung(Fidelity(9)))


@final
@dataclass(frozen=True)
class StopsAt(Scheduler):
    """Stops every other trial at an epoch."""

    epoch: int

    def first(self, history, number):
        return history.study.ladder[-1].fidelity

    def decide(self, history, trial, measurement):
        stop = trial.number % 2 and measurement.step >= self.epoch
        return Decision.STOP if stop else Decision.CONTINUE


def ended(study):
    return {trial.number: trial.ended_at for trial in study.history.trials() if trial.ended_at is not None}


def by_hand(seconds, workers):
    """Return when each of the jobs ends if every free worker takes the next one."""
    free = [0.0] * workers
    ends = []
    for s in seconds:
        earliest = free.index(min(free))
        free[earliest] += s
        ends.append(free[earliest])
    return ends


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_list_scheduling_by_hand(workers):
    seconds = (7, 3, 9, 1, 1, 4, 20, 2, 6, 5, 11, 8)
    study = Study(space=SPACE, estimator=TIMED)
    study.run(Listed(seconds), trials=len(seconds), executor=SimulatedExecutor(workers))
    assert list(ended(study).values()) == by_hand(seconds, workers)


def test_trials_complete_in_the_order_of_time():
    study = Study(space=SPACE, estimator=TIMED).run(Listed((9, 3, 6)), trials=3, executor=SimulatedExecutor(3))
    assert [trial.number for trial in study.history.finished()] == [1, 2, 0]


def test_a_budget_of_time_is_virtual_and_exact():
    study = Study(space=SPACE, estimator=TIMED)
    begun = time.monotonic()
    study.run(Listed((60,) * 300), minutes=90.5, executor=SimulatedExecutor(2))
    assert time.monotonic() - begun < 60
    assert max(ended(study).values()) == 90 * 60
    assert len(study.history.finished()) == 2 * 90


def test_what_outlives_the_budget_is_put_back():
    study = Study(space=SPACE, estimator=TIMED).run(Listed((50, 100)), minutes=1, executor=SimulatedExecutor(2))
    assert ended(study) == {0: 50}
    study.run(Listed((50, 100)), trials=2, executor=SimulatedExecutor(2))
    assert ended(study) == {0: 50, 1: 150}  # the clock goes on after the last end


def test_stopping_frees_the_worker_then():
    study = Study(space=SPACE, estimator=Epochs(), scheduler=StopsAt(3))
    study.run(Listed((5, 6, 7, 8)), trials=4, executor=SimulatedExecutor(2))
    assert ended(study) == pytest.approx({0: 9.1, 1: 3.1, 2: 12.2, 3: 12.2})
    assert [t.state for t in study.history.trials()] == [State.FINISHED, State.STOPPED] * 2


def test_successive_halving_takes_the_time_of_its_rungs():
    study = Study(space=SPACE, estimator=Epochs(), scheduler=SuccessiveHalving(bracket=9, eta=3))
    study.run(Listed(tuple(range(1, 10))), trials=9, executor=SimulatedExecutor(1))
    finished = study.history.finished()
    assert [trial.number for trial in finished] == [0]
    # nine to epoch 1, three on to epoch 3, one on to epoch 9
    assert finished[0].ended_at == pytest.approx(9 * 1.1 + 3 * 2 + 6)


def test_same_run_twice_same_log():
    def ends():
        study = Study(space=SPACE, estimator=TIMED)
        study.run("regularized-evolution(population_size=5)", trials=40, seed=3, executor=SimulatedExecutor(4))
        return [(trial.number, trial.architecture.text, trial.ended_at) for trial in study.history.finished()]

    assert ends() == ends()


@pytest.mark.parametrize("charges_search", [False, True])
def test_the_time_of_the_strategy_is_charged_on_demand(charges_search):
    study = Study(space=SPACE, estimator=TIMED)
    executor = SimulatedExecutor(charges_search=charges_search)
    study.run(Listed((1, 1, 1, 1), thinks=0.05), trials=4, executor=executor)
    assert (max(ended(study).values()) >= 4 + 4 * 0.05) == charges_search


def test_by_name():
    study = Study(space=SPACE, estimator=TIMED).run(Listed((5, 5)), trials=2, workers=2, executor="simulated")
    assert ended(study) == {0: 5, 1: 5}


def test_no_workers():
    with pytest.raises(UsageError, match="workers is at least 1, got 0"):
        SimulatedExecutor(0)
