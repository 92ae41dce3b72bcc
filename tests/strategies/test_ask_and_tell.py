"""Optimizers with state as pure functions of the history."""

from dataclasses import dataclass, field

import pytest

from nasturtium import Study
from nasturtium.estimators import Function
from nasturtium.spaces import Architecture, decisions, integer
from nasturtium.strategies import Strategy
from nasturtium.strategies._ask_and_tell import proposals
from nasturtium.trials import Log, Proposal

SPACE = decisions(x=integer(0, 999))
STARTED = []


@dataclass
class Recorder:
    """Proposes the number of what it has lived through, and keeps that."""

    lived: list = field(default_factory=list)

    def __post_init__(self):
        STARTED.append(self)

    def ask(self, number):
        self.lived.append(("ask", number))
        return Architecture({"x": len(self.lived)}) if len(self.lived) < 40 else None

    def tell(self, number, architecture, losses):
        self.lived.append(("tell", number, architecture["x"], losses))


@dataclass(frozen=True)
class Recording(Strategy):
    """Asks a recorder."""

    def ask(self, history, n):
        return proposals(history, n, self, Recorder)


def loss(a):
    if a["x"] % 5 == 4:
        raise ValueError("no")
    return {"valid_error": a["x"] / 999}


@pytest.fixture
def study():
    STARTED.clear()
    return Study(space=SPACE, estimator=Function(loss)).run(Recording(), trials=12, seed=0)


def test_asks_and_tells_come_in_their_order_and_failures_are_not_told(study):
    lived = STARTED[-1].lived
    assert lived[:4] == [("ask", 0), ("tell", 0, 1, (1 / 999,)), ("ask", 1), ("tell", 1, 3, (3 / 999,))]
    told = [step[1] for step in lived if step[0] == "tell"]
    assert told == [t.number for t in study.history.finished() if t.number < 11]
    assert len(told) < 11


def test_one_that_has_lived_goes_on_and_another_lives_through_it_again(study):
    assert len(STARTED) == 2, "a new one only before the first trial has ended"
    ahead = Recording().ask(study.history.sealed(), 3)
    assert len(STARTED) == 2
    log = Log(study.history.study, memoize=False)
    log.append(study.history.events())
    again = Recording().ask(log.history().sealed(), 3)
    assert len(STARTED) == 3
    assert [p.architecture for p in again] == [p.architecture for p in ahead]
    assert STARTED[2].lived == STARTED[1].lived


def test_proposals_that_were_not_taken_are_forgotten(study):
    history = study.history.sealed()
    many = Recording().ask(history, 5)
    assert Recording().ask(history, 2) == many[:2]


def test_at_the_end_there_are_fewer(study):
    history = study.history.sealed()
    found = Recording().ask(history, 30)
    assert 0 < len(found) < 30
    assert Recording().ask(history, 30) == found
    assert all(isinstance(p, Proposal) for p in found)
