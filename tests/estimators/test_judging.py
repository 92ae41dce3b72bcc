"""Judging a network, after few steps too."""

import numpy as np
import pytest
import torch

from nasturtium.estimators._judging import judge, recalibrate
from nasturtium.tasks import Task


@pytest.fixture(scope="module")
def task():
    x = np.random.default_rng(0).normal(5.0, 3.0, size=(400, 1, 4, 4)).astype(np.float32)
    return Task.from_tensors(x, np.arange(400) % 2).for_search()


def test_recalibration_gives_the_statistics_of_the_data(task):
    norm = torch.nn.BatchNorm2d(1)
    norm.running_mean.fill_(100)
    recalibrate(torch.nn.Sequential(norm, torch.nn.Dropout(0.9)), task, batch_size=64)
    x, _ = task.train.tensors()
    assert float(norm.running_mean) == pytest.approx(float(x.mean()), abs=0.02)
    assert float(norm.running_var) == pytest.approx(float(x.var()), abs=0.05)
    assert norm.momentum == 0.1


def test_the_metrics_are_those_of_the_whole_part(task):
    class Knows(torch.nn.Module):
        def forward(self, x):
            return torch.stack([torch.zeros(len(x)), torch.ones(len(x))], 1)

    share = float((task.valid.y != 1).float().mean())
    assert judge(Knows(), task, task.valid, "valid") == {"valid_error": pytest.approx(share)}
