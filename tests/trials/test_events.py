"""The events' JSON forms, exact to the last bit."""

import json
from math import inf, nan, pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.spaces import Architecture
from nasturtium.trials import (
    Asked,
    Ended,
    Fidelity,
    Lost,
    Measured,
    Measurement,
    Note,
    Proposal,
    State,
    event_from_json,
    event_to_json,
)

A = Architecture({"op": "conv", "sides": (1, (2, 3)), "rate": 0.1, "flag": True, "none": None})

EVENTS = [
    Asked(3, Proposal(A, parents=(1, 2), attributes={"generation": 1}), 17, Fidelity(3, schedule=9)),
    Asked(0, Proposal(None), 0, Fidelity()),
    Asked(4, Proposal(A, resume=4, fidelity=Fidelity(9)), 20, Fidelity(9)),
    Measured(3, Measurement(0, {"params": 94.0}, 0.25)),
    Measured(3, Measurement(1, {"loss": pi}, 1.5, {"test_error": 0.1}, "sha256:ab", A, "a note")),
    Ended(3, State.FINISHED),
    Ended(3, State.STOPPED, "stopped by the scheduler", {"valid_error": 0.25}),
    Ended(3, State.FAILED, "ValueError: too large"),
    Lost(3, "killed by SIGKILL"),
    Lost(3, "interrupted", is_crash=False),
    Note("created", {"name": "x", "seed": 0}),
]


def through_json(event):
    kind, data = event_to_json(event)
    return event_from_json(kind, json.loads(json.dumps(data)))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_json(event):
    assert through_json(event) == event


@given(st.floats())
@settings(deadline=None)
def test_floats_survive_exactly(value):
    again = through_json(Measured(0, Measurement(1, {"loss": value}))).measurement.metrics["loss"]
    assert again == value or (again != again and value != value)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_values_that_are_not_finite_survive(value):
    again = through_json(Measured(0, Measurement(1, {"loss": value}))).measurement.metrics["loss"]
    assert repr(again) == repr(value)


def test_the_architecture_of_an_event_keeps_its_key():
    event = through_json(EVENTS[0])
    assert event.proposal.architecture.key == A.key
    assert event.proposal.architecture["sides"] == (1, (2, 3))
