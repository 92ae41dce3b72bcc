"""The laws of estimators bite: each is broken by an estimator that does one thing wrong."""

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nasturtium.estimators import Estimator, Function
from nasturtium.spaces import Networks
from nasturtium.testing import Bench, ToyLearner, check_estimator, estimator_checks
from nasturtium.testing._toys import table
from nasturtium.trials import Measurement, Rung

LAWS = dict(estimator_checks())
TOY = table()


@dataclass(frozen=True)
class Sound(Estimator):
    """Does what the toy does; the others spoil it."""

    epochs: int = 9

    @property
    def toy(self):
        return ToyLearner(TOY.metrics, self.epochs)

    def ladder(self):
        return self.toy.ladder()

    def evaluate(self, assignment, context):
        yield from map(self.spoiled, self.toy.evaluate(assignment, context))

    def spoiled(self, measurement):
        return measurement


class ChangesAnArgument(Sound):
    def __init__(self, sizes=(1, 2)):
        object.__setattr__(self, "epochs", 9)
        object.__setattr__(self, "sizes", list(sizes))


class RequiresMore(Sound):
    requires = (Networks,)


class HasAFallingLadder(Sound):
    def ladder(self):
        return super().ladder()[::-1]


class HasFreeRungs(Sound):
    def ladder(self):
        return tuple(Rung(rung.fidelity, 0.0) for rung in super().ladder())


class BeginsLate(Sound):
    def evaluate(self, assignment, context):
        return (m for m in super().evaluate(assignment, context) if m.step)


class EndsEarly(Sound):
    def evaluate(self, assignment, context):
        return (m for m in super().evaluate(assignment, context) if m.step < 9)


class ChargesNegativeSeconds(Sound):
    def spoiled(self, measurement):
        return replace(measurement, seconds=-1.0)


class MeasuresPercent(Sound):
    def spoiled(self, measurement):
        return replace(measurement, metrics={"valid_error": 12.5})


class DeclaresTooMuch(Sound):
    def metrics(self):
        return ("loss", "size", "latency_ms")


class IsRandom(Sound):
    def spoiled(self, measurement):
        return replace(measurement, metrics={"loss": np.random.default_rng().random()})


class ClaimsToBeWithoutChance(Sound):
    is_random = False

    def evaluate(self, assignment, context):
        return (replace(m, metrics={"loss": float(context.seed)}) for m in super().evaluate(assignment, context))


class DrawsFromAGlobalGenerator(Sound):
    def spoiled(self, measurement):
        random.random()
        return measurement


class StartsAnewInEveryLeg(Sound):
    def evaluate(self, assignment, context):
        whole = super().evaluate(replace(assignment, start=0), replace(context, seed=context.seed))
        return (replace(m, metrics={"loss": m.step + assignment.start}) for m in whole)


class KeepsNoCheckpoint(Sound):
    def spoiled(self, measurement):
        return replace(measurement, checkpoint=None)


class HidesThatACheckpointIsLost(Sound):
    def spoiled(self, measurement):
        return replace(measurement, note=None)


class GoesOnWhenClosed(Sound):
    def evaluate(self, assignment, context):
        n = len(CLOSED)
        try:
            yield Measurement(0, {"loss": float(n)})
        finally:
            CLOSED.append(assignment.number)


CLOSED: list[int] = []


class IsAnotherWhenPickled(Sound):
    def __reduce__(self):
        return (Function, (TOY.metrics,))


BROKEN = [
    (ChangesAnArgument, "arguments-stored-unchanged"),
    (RequiresMore, "requirements-hold"),
    (HasAFallingLadder, "ladder-rises"),
    (HasFreeRungs, "ladder-rises"),
    (BeginsLate, "stream-in-order"),
    (EndsEarly, "stream-in-order"),
    (ChargesNegativeSeconds, "measurements-are-plain"),
    (MeasuresPercent, "measurements-are-plain"),
    (DeclaresTooMuch, "metrics-are-declared"),
    (IsRandom, "deterministic"),
    (ClaimsToBeWithoutChance, "what-is-not-random-has-no-seed"),
    (DrawsFromAGlobalGenerator, "global-generators-are-untouched"),
    (StartsAnewInEveryLeg, "legs-continue-exactly"),
    (KeepsNoCheckpoint, "legs-continue-exactly"),
    (HidesThatACheckpointIsLost, "lost-checkpoints-are-survived"),
    (GoesOnWhenClosed, "close-stops"),
    (IsAnotherWhenPickled, "pickles"),
]


@pytest.mark.parametrize(("cls", "law"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_law_catches_what_breaks_it(cls, law):
    with pytest.raises((AssertionError, TypeError)):
        LAWS[law](Bench(cls(), TOY.space))


def test_every_law_is_broken_by_somebody():
    assert {law for _, law in BROKEN} == set(LAWS)


def test_a_sound_estimator_passes_all_laws():
    check_estimator(Sound(), TOY.space)


def test_a_bench_always_evaluates_the_same_architecture():
    assert Bench(Sound(), TOY.space).architecture == Bench(Sound(), TOY.space).architecture
    assert Bench(Sound(), TOY.space, seed=1).architecture != Bench(Sound(), TOY.space).architecture
