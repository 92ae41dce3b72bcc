"""A search goes on whatever its candidates do: real trainings in real worker processes."""

import os
import sys
import threading

import pytest
import torch
from torch import nn

from nasturtium import Study
from nasturtium.errors import UsageError
from nasturtium.estimators import Training
from nasturtium.spaces import chain, choice, op
from nasturtium.tasks import load_task
from nasturtium.trials import State

KINDS = ("good", "greedy", "diverging", "raising", "hanging", "dying", "fine")


def candidates():
    """Return the space of all kinds; its module is local, so that it travels by value."""

    class Block(nn.Module):
        def __init__(self, in_channels, kind="good"):
            super().__init__()
            self.kind = kind
            self.conv = nn.Conv2d(in_channels, 4, 3)

        def forward(self, x):
            if x.device.type == "meta":  # where its shape is inferred
                return self.conv(x)
            if self.kind == "greedy":
                torch.ones(1 << 31)
            if self.kind == "raising":
                raise ValueError("no such luck")
            if self.kind == "hanging":
                threading.Event().wait()
            if self.kind == "dying":
                os.abort()
            return self.conv(x) * (float("nan") if self.kind == "diverging" else 1.0)

    return chain(op(Block, kind=choice(*KINDS)), op("global_pool"), op("linear"))


@pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")
def test_each_is_a_failed_trial_with_its_reason_and_the_search_goes_on():
    task = load_task("digits").for_search()
    study = Study(space=candidates(), estimator=Training(epochs=1, fraction=0.2), task=task)
    limits = {"patience": 5.0, "memory_bytes": 4 * 10**9}
    study.run("random-search", trials=len(KINDS), seed=0, workers=2, executor="local", **limits)
    found = {trial.architecture["0.kind"]: trial for trial in study.history.trials()}
    assert set(found) == set(KINDS)
    assert {kind for kind, trial in found.items() if trial.state is State.FINISHED} == {"good", "fine"}
    reasons = {kind: trial.reason for kind, trial in found.items() if trial.state is State.FAILED}
    assert reasons["greedy"].startswith("out of memory: ")
    assert reasons["diverging"] == "diverged: the loss is nan in epoch 1"
    assert reasons["raising"] == "ValueError: no such luck"
    assert reasons["hanging"].startswith("timed out")
    assert reasons["dying"].startswith("crashed")


def test_only_worker_processes_have_a_limit():
    study = Study(space=candidates(), estimator=Training(epochs=1), task=load_task("digits").for_search())
    with pytest.raises(UsageError, match="limited in worker processes only, got memory_bytes=1,000; use executor"):
        study.run("random-search", trials=1, seed=0, memory_bytes=1000)
