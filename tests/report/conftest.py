"""Small studies, written event by event."""

from dataclasses import dataclass

import numpy as np
import pytest

from nasturtium.report._base import Findings
from nasturtium.spaces import choice, decisions, load
from nasturtium.trials import (
    Asked,
    Ended,
    Fidelity,
    Log,
    Lost,
    Measured,
    Measurement,
    Note,
    Objective,
    Proposal,
    Rung,
    Setting,
    State,
)

TOP = Fidelity(epochs=4)


@dataclass(frozen=True)
class Images:
    """What a space has to know of a task."""

    input_shape: tuple = (1, 8, 8)
    n_outputs: int = 10


class Studies:
    """Writes a log and hands out what the report sees of it."""

    def __init__(self, space=None, objectives=("valid_error",), limits=(), strategy="random-search"):
        self.space = space or decisions(a=choice(*range(50)), b=choice(*range(300)))
        aims = tuple(o if isinstance(o, Objective) else Objective(o) for o in objectives)
        setting = Setting(self.space, aims, tuple(limits), ladder=(Rung(TOP),))
        self.log = Log(setting)
        self.created = {
            "name": "first",
            "seed": 0,
            "horizon": None,
            "strategy": {"name": strategy, "version": 1, "arguments": {}},
            "space": {"name": "chain", "version": 1, "arguments": {"stages": 2}},
            "estimator": {"opaque": "my.script.Estimator"},
            "scheduler": {"name": "fixed", "version": 1, "arguments": {}},
            "task": {"name": "digits", "content": "0123abcd"},
            "versions": {"nasturtium": "0.1.0", "torch": "2.13.0"},
            "command": "nasturtium search digits --trials 3",
        }
        self.log.append([Note("created", self.created)])
        self.rng = np.random.default_rng(0)

    def ask(self, architecture=None, **proposal):
        number = self.log.history().n_trials
        candidate = self.space.sample(self.rng) if architecture is None else architecture
        self.log.append([Asked(number, Proposal(candidate, **proposal), len(self.log), TOP)])
        return number

    def end(self, state=State.FINISHED, reason=None, *, step=4, seconds=1.0, note=None, **metrics):
        """Add a trial that has these values; returns its number."""
        number = self.ask()
        if metrics:
            self.log.append([Measured(number, Measurement(step, metrics, seconds, note=note))])
        self.log.append([Ended(number, state, reason)])
        return number

    def finish(self, number, *, step=4, seconds=1.0, **metrics):
        """End a trial that was asked for with these values."""
        self.log.append([Measured(number, Measurement(step, metrics, seconds)), Ended(number, State.FINISHED, None)])

    def fail(self, reason):
        return self.end(State.FAILED, reason)

    def lose(self, number, reason="killed by SIGSEGV"):
        self.log.append([Lost(number, reason)])

    @property
    def history(self):
        return self.log.history()

    def found(self, final=(), **created):
        return Findings(self.history, {**self.created, **created}, tuple(final))


@pytest.fixture
def studies():
    """Return the maker of studies."""
    return Studies


@pytest.fixture
def networks():
    """Return a maker of studies over a space of small networks."""

    def make(name="chain", objectives=("valid_error", "params"), **arguments):
        space = load(name, **arguments).on(Images())
        return Studies(space, objectives)

    return make
