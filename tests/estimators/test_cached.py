"""The cache: what counts as the same, and what a hit gives."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Cached, Context, Function, Training
from nasturtium.estimators._cached import HIT
from nasturtium.spaces import load
from nasturtium.tasks import Task
from nasturtium.testing._running import Shelf
from nasturtium.trials import Fidelity

# Equal functions: the edge with the convolution reaches the last node directly, or by a skip.
DIRECT = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
BY_SKIP = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
OTHER = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    return Task.from_tensors(
        rng.normal(size=(120, 1, 6, 6)).astype(np.float32) + y[:, None, None, None], y
    ).for_search()


@pytest.fixture(scope="module")
def space(task):
    return load("nasbench201", cells=1, filters=4).on(task)


@pytest.fixture
def measured(space, task, tmp_path):
    """Return what evaluates a cell and tells the measurements and the shelf."""

    def evaluate(text, fidelity=None, start=0, *, training=None, replicate=0, shelf=None):
        fidelity, training = fidelity or Fidelity(2), training or Training(epochs=2)
        shelf = shelf or Shelf()
        references = {0: next(reversed(shelf.data))} if start else {}
        assignment = Assignment(0, space.parse(text), fidelity, start, replicate=replicate)
        cached = Cached(training, str(tmp_path))
        return list(cached.evaluate(assignment, Context(space, task, 7, shelf(references)))), shelf

    return evaluate


def values(measurements):
    return [(m.step, m.metrics) for m in measurements]


def test_an_equal_function_is_a_hit_that_costs_nothing(measured):
    first, shelf = measured(DIRECT)
    again, other_shelf = measured(BY_SKIP)
    assert values(again) == values(first)
    assert first[0].note is None
    assert again[0].note == HIT
    assert sum(m.seconds for m in again) == 0
    assert list(other_shelf.data.values()) == list(shelf.data.values())
    assert again[-1].checkpoint == first[-1].checkpoint


@pytest.mark.parametrize(
    "change",
    [
        {"replicate": 1},
        {"fidelity": Fidelity(1)},
        {"fidelity": Fidelity(2, fraction=0.5)},
        {"training": Training(epochs=2, learning_rate=0.05)},
        {"training": Training(epochs=2, recipe="darts")},
    ],
)
def test_what_makes_a_difference(measured, change):
    measured(DIRECT)
    assert measured(DIRECT)[0][0].note == HIT
    assert measured(DIRECT, **change)[0][0].note is None
    assert measured(OTHER)[0][0].note is None


def test_a_training_goes_on_from_a_hit(measured):
    half = Fidelity(1, schedule=2)
    measured(DIRECT, half)
    again, shelf = measured(BY_SKIP, half)
    assert again[0].note == HIT
    rest, _ = measured(BY_SKIP, Fidelity(2), 1, shelf=shelf)
    assert [m.step for m in rest] == [2]
    assert rest[-1].note is None


def test_a_part_of_a_leg_is_not_kept(space, task, tmp_path):
    stream = Cached(Training(epochs=2), str(tmp_path)).evaluate(
        Assignment(0, space.parse(DIRECT), Fidelity(2)), Context(space, task, 7, Shelf()({}))
    )
    next(stream)
    next(stream)
    stream.close()
    assert not list(tmp_path.iterdir())


def test_damage_is_a_miss(measured, tmp_path):
    measured(DIRECT)
    for file in tmp_path.glob("*.pt"):
        file.unlink()
    assert measured(DIRECT)[0][0].note is None


def test_a_study_tells_its_hits(space, task, tmp_path):
    study = nas.Study(space=space, estimator=Cached(Training(epochs=1), str(tmp_path)), task=task)
    study.run(nas.strategies.RandomSearch(repeats="allow"), trials=2, seed=0)
    again = nas.Study(space=space, estimator=Cached(Training(epochs=1), str(tmp_path)), task=task)
    again.run(nas.strategies.RandomSearch(repeats="allow"), trials=2, seed=0)
    assert [t.measurements[0].note for t in again.history.trials()] == [HIT, HIT]
    assert [t.metrics for t in again.history.trials()] == [t.metrics for t in study.history.trials()]


def test_what_has_no_cache():
    with pytest.raises(UsageError, match="begin anew, got inherited weights"):
        Cached(Training(weights="inherit"))
    with pytest.raises(UsageError, match="of a registered estimator"):
        Cached(Function(lambda architecture: {"valid_error": 0.0}))
    assert Cached(Training()).final(3) == Training().final(3)
