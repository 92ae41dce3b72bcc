"""The laws of schedulers; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), scheduler_checks())
def test_law(name, check):
    check(MyScheduler)
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nasturtium._registry import parameters
from nasturtium.schedulers import SCHEDULERS, Scheduler
from nasturtium.strategies import RandomSearch
from nasturtium.testing._examples import ToyLearner, Unlucky
from nasturtium.testing._running import run, setting_of, snapshot, text_of, untouched_generators
from nasturtium.testing._toys import table
from nasturtium.trials import Asked, Decision, Log, Measured, State

if TYPE_CHECKING:
    from nasturtium.estimators import Estimator

SchedulerCheck = Callable[[type[Scheduler]], None]
"""A law: raises AssertionError if the class that it is given breaks it."""

N_TRIALS = 40
"""Length of the studies that most laws look at."""


def scheduler_checks() -> Iterator[tuple[str, SchedulerCheck]]:
    """Yield every law with its name."""
    for check in CHECKS:
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def check_scheduler(cls: type[Scheduler]) -> None:
    """Check every law.

    Raises:
        AssertionError: The first law that is broken.
    """
    for check in CHECKS:
        check(cls)


def check_arguments_stored_unchanged(cls: type[Scheduler]) -> None:
    """Every argument has a default and is kept under its own name; equal ones make equals."""
    scheduler = cls()
    for name, default in parameters(cls).items():
        assert getattr(scheduler, name) == default, f"{name}={default!r} is not kept as given"
    again = pickle.loads(pickle.dumps(scheduler))
    assert cls() == scheduler == again, f"two {cls.__name__}() must be equal"


def check_described_and_restored(cls: type[Scheduler]) -> None:
    """A registered scheduler is made again from what the log stores of it."""
    if SCHEDULERS.name_of(cls) is not None:
        described = SCHEDULERS.describe(cls())
        assert SCHEDULERS.restore(described) == cls(), f"not the same again: {described}"


def check_first_leg_is_a_rung(cls: type[Scheduler]) -> None:
    """A new trial's first leg ends at a rung of the estimator's ladder, whatever its length."""
    for epochs in (1, 3, 9, 27):
        setting = setting_of(table().space, ToyLearner(table().metrics, epochs))
        first = cls().first(Log(setting).history(), 0)
        rungs = [rung.fidelity for rung in setting.ladder]
        assert first in rungs, f"{first} is none of {rungs}"


def check_study_ends(cls: type[Scheduler]) -> None:
    """A study ends with all its trials begun and none under way, and some have finished."""
    for epochs in (1, 9):
        for workers in (1, 4):
            history = _run(cls, epochs=epochs, workers=workers).history()
            assert history.n_trials == N_TRIALS, f"{history.n_trials} of {N_TRIALS} have begun"
            assert history.n_under_way == 0, f"{history.n_under_way} are still under way"
            assert history.finished(), "no trial has finished"


def check_one_rung_is_one_leg(cls: type[Scheduler]) -> None:
    """Where there is a single rung nobody is paused or promoted."""
    log = _run(cls, epochs=1)
    assert not _resumed(log), "a trial at the only rung must not be promoted"
    assert not log.history().trials(State.PAUSED), "a trial at the only rung must not be paused"


def check_promotes_paused_trials_only(cls: type[Scheduler]) -> None:
    """Who goes on is paused at that moment, and goes to a higher rung of the ladder."""
    for log in _logs(cls):
        rungs = [rung.fidelity for rung in log.study.ladder]
        for event in _resumed(log):
            before = log.history().before(event.asked_at).trial(event.number)
            assert before.state is State.PAUSED, f"trial {event.number} was {before.state}"
            assert event.fidelity in rungs, f"{event.fidelity} is no rung"
            assert not before.fidelity.covers(event.fidelity), f"{event.fidelity} is no promotion"


def check_never_promotes_failed_trials(cls: type[Scheduler]) -> None:
    """A trial that has failed gets nothing more."""
    for log in _logs(cls):
        over: set[int] = set()
        for event in log.events():
            number = getattr(event, "number", -1)
            is_new_leg = isinstance(event, Asked) and number in over
            assert not is_new_leg, f"trial {number} is over and goes on"
            if getattr(event, "state", None) in (State.FAILED, State.STOPPED, State.FINISHED):
                over.add(number)


def check_retires_paused_trials_only(cls: type[Scheduler]) -> None:
    """Who is retired is paused at that moment, and would not be promoted next."""
    for log in _logs(cls):
        for length in range(0, len(log), 10):
            history = log.history(length, sealed=True)
            retired = list(cls().retire(history))
            promoted = cls().promote(history)
            states = {history.trial(number).state for number in retired}
            assert states <= {State.PAUSED}, f"trials {retired} are retired, which are {states}"
            assert len(set(retired)) == len(retired), f"one is retired twice: {retired}"
            is_torn = promoted is not None and promoted.resume in retired
            assert not is_torn, f"trial {promoted} is retired and promoted"


def check_promotions_are_reproduced(cls: type[Scheduler]) -> None:
    """A fresh object gives every stored promotion again from the history that it saw."""
    for log in _logs(cls):
        for event in _resumed(log):
            again = cls().promote(log.history().before(event.asked_at).sealed())
            assert again is not None, f"the promotion of {event.number} is not reproduced"
            assert text_of([again]) == text_of([event.proposal]), f"another promotion: {again}"


def check_decides_continue_or_stop(cls: type[Scheduler]) -> None:
    """The answer to a measurement is a ``Decision``, the same when asked again."""
    for log in _logs(cls):
        for length, event in enumerate(log.events(), start=1):
            if isinstance(event, Measured) and length % 7 == 0:
                history = log.history(length, sealed=True)
                trial = history.trial(event.number)
                answers = [cls().decide(history, trial, event.measurement) for _ in range(2)]
                assert answers[0] is answers[1], f"two answers to one question: {answers}"
                assert isinstance(answers[0], Decision), f"expected a Decision, got {answers[0]!r}"


def check_pure(cls: type[Scheduler]) -> None:
    """Promoting and retiring change no history and draw from no global generator."""
    for log in _logs(cls):
        for length in range(0, len(log), 40):
            history = log.history(length, sealed=True)
            before = snapshot(history)
            with untouched_generators():
                first, second = ((cls().promote(history), list(cls().retire(history))) for _ in range(2))
            assert first == second, f"two answers for one history: {first} and {second}"
            assert snapshot(history) == before, "promote changed the history"


CHECKS: tuple[SchedulerCheck, ...] = (
    check_arguments_stored_unchanged,
    check_described_and_restored,
    check_first_leg_is_a_rung,
    check_study_ends,
    check_one_rung_is_one_leg,
    check_promotes_paused_trials_only,
    check_never_promotes_failed_trials,
    check_retires_paused_trials_only,
    check_promotions_are_reproduced,
    check_decides_continue_or_stop,
    check_pure,
)


def _run(cls: type[Scheduler], *, epochs: int = 9, workers: int = 1, is_hard: bool = False) -> Log:
    toy = table()
    estimator: Estimator = ToyLearner(toy.metrics, epochs)
    return run(
        RandomSearch(),
        toy.space,
        Unlucky(estimator) if is_hard else estimator,
        trials=N_TRIALS,
        workers=workers,
        scheduler=cls(),
    )


def _logs(cls: type[Scheduler]) -> Iterator[Log]:
    """Yield a plain study, and one with workers side by side and trials that fail."""
    yield _run(cls)
    yield _run(cls, workers=4, is_hard=True)


def _resumed(log: Log) -> list[Asked]:
    """Return the events by which paused trials went on."""
    return [e for e in log.events() if isinstance(e, Asked) and e.proposal.resume is not None]
