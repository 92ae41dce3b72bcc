"""Fidelity, measurement, proposal, trial, objective, limit."""

import json
from math import nan

import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import Deepen, Widen
from nasturtium.spaces import Architecture
from nasturtium.trials import (
    Fidelity,
    Limit,
    Measurement,
    Objective,
    Proposal,
    State,
    Trial,
    as_objective,
)

A = Architecture({"layers": 2})


def through_json(value):
    return type(value).from_json(json.loads(json.dumps(value.to_json())))


# --- fidelity ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fidelity",
    [
        Fidelity(),
        Fidelity(4, schedule=36),
        Fidelity(9, fraction=0.5, resolution=0.25, width=0.5, cells=3),
    ],
)
def test_a_fidelity_survives_json(fidelity):
    assert through_json(fidelity) == fidelity


def test_a_schedule_that_is_the_length_is_none():
    assert Fidelity(9, schedule=9) == Fidelity(9)
    assert hash(Fidelity(9, schedule=9)) == hash(Fidelity(9))
    assert Fidelity(9).planned == 9
    assert Fidelity(3, schedule=9).planned == 9


def test_the_same_training_at_another_epoch_keeps_its_schedule():
    assert Fidelity(9).at(3) == Fidelity(3, schedule=9)
    assert Fidelity(3, schedule=9).at(9) == Fidelity(9)
    assert Fidelity(3, schedule=9).at(3) == Fidelity(3, schedule=9)


def test_an_epoch_beyond_the_schedule_lengthens_it():
    assert Fidelity().at(5) == Fidelity(5)


def test_a_fidelity_covers_what_is_nowhere_more():
    less = [
        Fidelity(9, fraction=0.5),
        Fidelity(9, resolution=0.5),
        Fidelity(9, width=0.5),
        Fidelity(9, cells=2),
        Fidelity(1, schedule=9),
    ]
    for fidelity in less:
        assert Fidelity(9).covers(fidelity)
        assert fidelity.covers(fidelity)
        assert not fidelity.covers(Fidelity(9))
    assert not any(a.covers(b) for a in less for b in less if a != b)


def test_a_training_continues_to_a_later_epoch_of_the_same_schedule():
    assert Fidelity(9).continues(Fidelity(3, schedule=9))
    assert Fidelity(3, schedule=9).continues(Fidelity(1, schedule=9))
    assert Fidelity(9).continues(Fidelity(9))
    assert not Fidelity(3, schedule=9).continues(Fidelity(9))
    assert not Fidelity(9).continues(Fidelity(3))
    assert not Fidelity(9).continues(Fidelity(3, schedule=9, fraction=0.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "epochs is at least 0"),
        ({"epochs": 1, "fraction": 0.0}, r"in \(0, 1\]"),
        ({"epochs": 1, "resolution": 1.5}, r"in \(0, 1\]"),
        ({"epochs": 1, "width": float("nan")}, r"in \(0, 1\]"),
        ({"epochs": 9, "schedule": 3}, "raise schedule"),
        ({"epochs": 1, "cells": 0}, "at least one cell"),
    ],
)
def test_an_impossible_fidelity_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Fidelity(**arguments)


# --- measurement ---------------------------------------------------------------------------------


def test_metrics_named_test_are_moved_to_the_report():
    m = Measurement(1, {"valid_error": 0.2, "test_error": 0.3}, report={"test_loss": 0.5})
    assert m.metrics == {"valid_error": 0.2}
    assert m.report == {"test_loss": 0.5, "test_error": 0.3}


def test_a_measurement_does_not_change_what_it_was_given():
    metrics = {"valid_error": 0.2, "test_error": 0.3}
    Measurement(1, metrics)
    assert metrics == {"valid_error": 0.2, "test_error": 0.3}


# --- proposal ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proposal",
    [
        Proposal(None),
        Proposal(A),
        Proposal(A, parents=(0,)),
        Proposal(A, resume=0),
        Proposal(A, fidelity=Fidelity(3, schedule=9), replicate=2),
        Proposal(A, parents=(3, 1), edits=(Deepen("conv_0", 5), Widen("conv_1", 24))),
        Proposal(A, attributes={"generation": 3, "weights": (0.5, 0.25), "of": {"x": ()}}),
    ],
)
def test_a_proposal_survives_json(proposal):
    assert through_json(proposal) == proposal


def test_a_proposal_writes_only_what_differs_from_the_defaults():
    assert Proposal(A).to_json() == {"architecture": {"layers": 2}}
    assert Proposal(None, resume=0).to_json() == {"resume": 0}


# --- trial ---------------------------------------------------------------------------------------


def trial(*measurements, state=State.RUNNING):
    return Trial(3, Proposal(A, parents=(1,)), state, Fidelity(9), measurements, asked_at=17)


def test_a_trial_gives_the_latest_of_everything():
    t = trial(
        Measurement(0, {"params": 10.0}, 0.5),
        Measurement(1, {"loss": 0.9}, 1.0, checkpoint="a", report={"test_loss": 1.0}),
        Measurement(2, {"loss": 0.8}, 1.0),
    )
    assert t.metrics == {"params": 10.0, "loss": 0.8}
    assert t.report == {"test_loss": 1.0}
    assert (t.step, t.seconds, t.checkpoint) == (2, 2.5, "a")
    assert (t.architecture, t.parents) == (A, (1,))


def test_a_trial_without_measurements_is_at_step_0():
    t = trial()
    assert (t.step, t.seconds, t.checkpoint, t.metrics) == (0, 0, None, {})


@pytest.mark.parametrize("state", list(State))
def test_a_trial_is_over_when_it_has_finished_stopped_or_failed(state):
    assert trial(state=state).is_over == (str(state) in ("finished", "stopped", "failed"))


# --- objective and limit -------------------------------------------------------------------------


def test_an_objectives_loss_is_the_metric_or_its_negative():
    assert Objective("valid_error").loss(0.25) == 0.25
    assert Objective("accuracy", maximize=True).loss(0.75) == -0.75


def test_a_name_stands_for_the_objective_that_makes_it_small():
    assert as_objective("params") == Objective("params")
    assert as_objective(Objective("x", maximize=True)) == Objective("x", maximize=True)


def test_a_violation_is_the_share_by_which_the_bound_is_exceeded():
    assert Limit("latency_ms", 4.0).violation(5.0) == 0.25
    assert Limit("latency_ms", 4.0).violation(4.0) == 0
    assert Limit("gain", -2.0).violation(-1.0) == 0.5
    assert Limit("zero", 0.0).violation(1.0) > 1e11
    violation = Limit("latency_ms", 4.0).violation(nan)
    assert violation != violation


@pytest.mark.parametrize("part", [{"resolution": 0.5}, {"width": 0.5}, {"cells": 2}])
def test_a_smaller_network_or_image_is_not_the_whole(part):
    assert Fidelity(3, schedule=9, fraction=0.5).is_whole
    assert not Fidelity(3, **part).is_whole
