"""Lower fidelity: every combination on stacked spaces."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Training
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._reduced import reduced
from nasturtium.spaces import SPACES, load
from nasturtium.tasks import Task
from nasturtium.testing._running import Shelf
from nasturtium.trials import Fidelity

STACKED = ["amoebanet", "darts", "enas-micro", "hierarchical", "nasbench101", "nasbench201", "nasnet"]


@pytest.fixture(scope="module")
def task():
    x = np.random.default_rng(0).integers(0, 256, size=(300, 1, 8, 8)).astype(np.uint8)
    return Task.from_tensors(x, np.arange(300) % 3).for_search()


def test_these_are_the_stacked_spaces():
    sizes = {name: set(SPACES.get(name).__dataclass_fields__) for name in SPACES.names()}
    assert sorted(name for name, fields in sizes.items() if {"cells", "filters"} <= fields) == STACKED


@pytest.mark.parametrize("name", STACKED)
def test_any_combination_on_any_stacked_space(name, task):
    space = replace(SPACES.get(name).small(), filters=16, cells=3).on(task)
    architecture = space.sample(np.random.default_rng(0))
    whole = space.graph(architecture).flops
    for fraction, resolution, width, cells in product((1.0, 0.5), (1.0, 0.5), (1.0, 0.5), (None, 1)):
        fidelity = Fidelity(1, None, fraction, resolution, width, cells)
        small, less = reduced(space, task, fidelity)
        assert architecture in small
        assert less.input_shape == (1, round(8 * resolution), round(8 * resolution))
        assert len(less.train) == round(fraction * len(task.train))
        assert len(less.valid) == len(task.valid)
        flops = small.graph(architecture).flops
        assert flops == whole if (resolution, width, cells) == (1.0, 1.0, None) else flops < whole


def test_a_smaller_network_is_trained_but_the_whole_one_is_counted(task):
    space = load("nasbench201", cells=2, filters=8).on(task)
    architecture = space.at(1462)
    training = Training(epochs=1, resolution=0.5, width=0.5, cells=1)
    shelf = Shelf()
    assignment = Assignment(0, architecture, training.ladder()[-1].fidelity)
    first, last = training.evaluate(assignment, Context(space, task, 0, shelf({})))
    graph = space.graph(architecture).simplified()
    assert first.metrics == {"params": graph.params, "flops": graph.flops}
    assert last.step == 1
    [data] = shelf.data.values()
    state = Checkpoint.from_bytes(data)
    assert state.network["stem.weight"].shape == (4, 1, 3, 3)


def test_pixels_are_means(task):
    small = task.resized(0.5)
    expected = torch.nn.functional.avg_pool2d(task.train.x.float(), 2).round()
    assert small.train.x.dtype == torch.uint8
    assert torch.equal(small.train.x, expected.to(torch.uint8))


def test_a_space_without_those_sizes_says_so(task):
    with pytest.raises(UsageError, match="got Chain; leave width and cells as they are"):
        reduced(load("chain").on(task), task, Fidelity(1, width=0.5))
    with pytest.raises(UsageError, match="got Morphism; leave both as they are"):
        reduced(load("morphism").on(task), task, Fidelity(1, width=0.5))


def test_a_table_has_no_resolution():
    table = Task.from_tensors(np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2)
    with pytest.raises(UsageError, match=r"resolution is a factor in \(0, 1\] on images, got 0.5 for \(3,\)"):
        table.resized(0.5)
