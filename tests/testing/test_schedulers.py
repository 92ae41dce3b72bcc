"""The laws of schedulers bite: each is broken by a scheduler that does one thing wrong."""

import random
from dataclasses import dataclass

import pytest

from nasturtium.errors import RequirementError
from nasturtium.schedulers import Scheduler, SuccessiveHalving
from nasturtium.testing import check_scheduler, scheduler_checks
from nasturtium.trials import Decision, Fidelity, Proposal, State

LAWS = dict(scheduler_checks())


@dataclass(frozen=True)
class Sound(Scheduler):
    """Takes every trial through all rungs, one by one; the others spoil it."""

    def first(self, history, number):
        return history.study.ladder[0].fidelity

    def promote(self, history):
        for trial in history.trials(State.PAUSED):
            rungs = [rung.fidelity for rung in history.study.ladder]
            return self.promoted(trial, rungs[rungs.index(trial.fidelity) + 1])
        return None

    def promoted(self, trial, fidelity):
        return Proposal(trial.architecture, resume=trial.number, fidelity=fidelity)


class ChangesAnArgument(Sound):
    def __init__(self, eta=3):
        object.__setattr__(self, "eta", eta + 1)


class BeginsBesidesTheLadder(Sound):
    def first(self, history, number):
        return Fidelity(2)


class PromotesNobody(Sound):
    def promote(self, history):
        return None


class PausesAtTheOnlyRung(Sound):
    def first(self, history, number):
        return Fidelity(0)


class PromotesAnybody(Sound):
    def promote(self, history):
        for trial in history.trials(State.PENDING, State.RUNNING):
            return self.promoted(trial, history.study.ladder[-1].fidelity)
        return super().promote(history)


class PromotesToTheSameRung(Sound):
    def promoted(self, trial, fidelity):
        return super().promoted(trial, trial.fidelity)


class PromotesFailedTrials(Sound):
    def promote(self, history):
        for trial in history.trials(State.FAILED):
            return self.promoted(trial, history.study.ladder[-1].fidelity)
        return super().promote(history)


class PromotesAtRandom(Sound):
    def promote(self, history):
        return super().promote(history) if random.random() < 0.5 else None


class RetiresAnybody(Sound):
    def retire(self, history):
        return range(history.n_trials)


class RetiresWhoIsPromoted(Sound):
    def retire(self, history):
        return [trial.number for trial in history.trials(State.PAUSED)]

    def promote(self, history):
        return super().promote(history) if history.n_trials < 40 else None


class AnswersYes(Sound):
    def decide(self, history, trial, measurement):
        return "yes"


class AnswersAtRandom(Sound):
    def decide(self, history, trial, measurement):
        return random.choice(list(Decision))


BROKEN = [
    (ChangesAnArgument, "arguments-stored-unchanged"),
    (BeginsBesidesTheLadder, "first-leg-is-a-rung"),
    (PromotesNobody, "study-ends"),
    (PausesAtTheOnlyRung, "one-rung-is-one-leg"),
    (PromotesAnybody, "promotes-paused-trials-only"),
    (PromotesToTheSameRung, "promotes-paused-trials-only"),
    (PromotesFailedTrials, "never-promotes-failed-trials"),
    (RetiresAnybody, "retires-paused-trials-only"),
    (RetiresWhoIsPromoted, "retires-paused-trials-only"),
    (PromotesAtRandom, "promotions-are-reproduced"),
    (AnswersYes, "decides-continue-or-stop"),
    (AnswersAtRandom, "decides-continue-or-stop"),
    (PromotesAtRandom, "pure"),
]


@pytest.mark.parametrize(("cls", "law"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_law_catches_what_breaks_it(cls, law):
    with pytest.raises((AssertionError, RequirementError, ValueError)):
        LAWS[law](cls)


def test_every_law_is_broken_by_somebody():
    # Only registered schedulers are described, so the registry's own tests break that law.
    assert {law for _, law in BROKEN} == set(LAWS) - {"described-and-restored"}


@pytest.mark.parametrize("cls", [Sound, SuccessiveHalving], ids=lambda cls: cls.__name__)
def test_a_sound_scheduler_passes_all_laws(cls):
    check_scheduler(cls)
