"""The laws of strategies bite: each is broken by a strategy that does one thing wrong."""

import random
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from nasturtium.errors import RequirementError
from nasturtium.spaces import Architecture
from nasturtium.strategies import RandomSearch, Strategy, operators
from nasturtium.testing import check_strategy, strategy_checks
from nasturtium.trials import History, Proposal

LAWS = dict(strategy_checks())


@dataclass(frozen=True)
class Sound(Strategy):
    """Random search in five lines, which the others spoil."""

    is_baseline: ClassVar[bool] = True
    multi_objective: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        numbers = range(history.n_trials, history.n_trials + n)
        return [Proposal(self.draw(history, number)) for number in numbers]

    def draw(self, history: History, number: int) -> Architecture:
        return history.study.space.sample(operators.generator(history, number))


class NeedsAnArgument(Sound):
    def __init__(self, size):
        object.__setattr__(self, "size", size)


class ChangesAnArgument(Sound):
    def __init__(self, sizes=(1, 2)):
        object.__setattr__(self, "sizes", list(sizes))


class LooksTooFarAhead(Sound):
    def ahead(self, history):
        return 5

    def draw(self, history, number):
        return history.study.space.sample(operators.generator(history, history.length))


class IsEqualToNobody(Sound):
    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


class IsAnotherWhenPickled(Sound):
    def __reduce__(self):
        return (RandomSearch, ())


class ScalesToSomethingElse(Sound):
    def scaled(self, horizon):
        return RandomSearch()


class ProposesStrangers(Sound):
    def draw(self, history, number):
        return Architecture({"no such decision": number})


class ProposesTheWholeSpaceWithoutSayingSo(Sound):
    def draw(self, history, number):
        return None


class HasAttributesWithoutJson(Sound):
    def ask(self, history, n):
        return [Proposal(p.architecture, attributes={"a": {1}}) for p in super().ask(history, n)]


class HasLaterParents(Sound):
    def ask(self, history, n):
        return [Proposal(p.architecture, parents=(10**6,)) for p in super().ask(history, n)]


class GivesOneTooMany(Sound):
    def ask(self, history, n):
        return super().ask(history, n + 1)


class GivesOthersForAnotherN(Sound):
    def ask(self, history, n):
        rng = np.random.default_rng((history.study.seed, history.n_trials, n))
        return [Proposal(history.study.space.sample(rng)) for _ in range(n)]


class RemembersHowOftenItWasAsked(Sound):
    n_asks: ClassVar[list[int]] = []

    def draw(self, history, number):
        self.n_asks.append(0)
        return super().draw(history, number + len(self.n_asks))


class DependsOnTheHashSeed(Sound):
    def draw(self, history, number):
        return super().draw(history, number + hash("salt") % 1000)


class IgnoresTheSeed(Sound):
    def draw(self, history, number):
        return history.study.space.sample(np.random.default_rng(number))


class ChangesFoldedState(Sound):
    def draw(self, history, number):
        state = history.fold("count", list, lambda state, trial: [*state, trial.number])
        state.append(-1)
        return super().draw(history, number + len(state))


class LooksAtTheWholeLog(Sound):
    def draw(self, history, number):
        return super().draw(history, number + len(history._log))


class WritesIntoTheHistory(Sound):
    def ask(self, history, n):
        for trial in history.trials():
            trial.proposal.attributes["seen"] = history.n_trials
        return super().ask(history, n)


class DrawsFromAGlobalGenerator(Sound):
    def draw(self, history, number):
        random.random()
        return super().draw(history, number)


class DrawsFromNumpysGlobalGenerator(Sound):
    def draw(self, history, number):
        np.random.rand()  # noqa: NPY002
        return super().draw(history, number)


class TrustsEveryTrial(Sound):
    def draw(self, history, number):
        assert all(t.metrics["loss"] < 9 for t in history.trials() if t.is_over)
        return super().draw(history, number)


@dataclass(frozen=True)
class OnlySaysItAvoidsRepeats(Sound):
    repeats: str = "avoid"

    def draw(self, history, number):
        return super().draw(history, 0)


@dataclass(frozen=True)
class StopsEarly(Sound):
    repeats: str = "avoid"

    def ask(self, history, n):
        return RandomSearch().ask(history, n) if history.n_trials < 5 else []


class KeepsUnknownTrials(Sound):
    def keeps(self, history):
        return [10**6]


class OnlySaysItTakesSeveralObjectives(Sound):
    def draw(self, history, number):
        assert len(history.study.objectives) == 1
        return super().draw(history, number)


class NeedsDecisionsAndDoesNotSaySo(Sound):
    def draw(self, history, number):
        architecture = super().draw(history, number)
        assert history.study.space.trace(architecture)
        return architecture


class IsNoBetterThanRandom(Sound):
    is_baseline = False


BROKEN = [
    (NeedsAnArgument, "default-constructible"),
    (ChangesAnArgument, "arguments-stored-unchanged"),
    (LooksTooFarAhead, "reproduced-from-the-log"),
    (IsEqualToNobody, "equal-by-arguments"),
    (IsAnotherWhenPickled, "pickles"),
    (ScalesToSomethingElse, "scaled-fits-any-horizon"),
    (ProposesStrangers, "proposals-are-members"),
    (ProposesTheWholeSpaceWithoutSayingSo, "proposals-are-members"),
    (HasAttributesWithoutJson, "proposals-have-json"),
    (HasLaterParents, "proposals-have-json"),
    (GivesOneTooMany, "at-most-n"),
    (GivesOthersForAnotherN, "fewer-are-the-first"),
    (RemembersHowOftenItWasAsked, "pure"),
    (DependsOnTheHashSeed, "same-in-another-process"),
    (IgnoresTheSeed, "seed-matters"),
    (ChangesFoldedState, "fold-memo-is-only-a-memo"),
    (LooksAtTheWholeLog, "reproduced-from-the-log"),
    (WritesIntoTheHistory, "history-is-not-changed"),
    (DrawsFromAGlobalGenerator, "global-generators-are-untouched"),
    (DrawsFromNumpysGlobalGenerator, "global-generators-are-untouched"),
    (TrustsEveryTrial, "odd-trials-are-accepted"),
    (OnlySaysItAvoidsRepeats, "pending-are-not-repeated"),
    (OnlySaysItAvoidsRepeats, "exhausts-a-finite-space"),
    (StopsEarly, "exhausts-a-finite-space"),
    (KeepsUnknownTrials, "keeps-names-trials"),
    (OnlySaysItTakesSeveralObjectives, "several-objectives"),
    (NeedsDecisionsAndDoesNotSaySo, "works-on-every-space"),
    (IsNoBetterThanRandom, "beats-random-search"),
]


@pytest.mark.parametrize(("cls", "law"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_law_catches_what_breaks_it(cls, law):
    with pytest.raises((AssertionError, AttributeError, KeyError, RequirementError, TypeError)):
        LAWS[law](cls)


def test_every_law_is_broken_by_somebody():
    # Only registered strategies are described, so the registry's own tests break that law.
    assert {law for _, law in BROKEN} == set(LAWS) - {"described-and-restored"}


def test_a_sound_strategy_passes_all_laws():
    check_strategy(Sound)


def test_check_strategy_names_what_is_broken():
    with pytest.raises(AssertionError, match="at most 0 proposals, got 1"):
        check_strategy(GivesOneTooMany)
