from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Diverged, Training
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._judging import judge
from nasturtium.estimators._recipes import RECIPES
from nasturtium.networks import build
from nasturtium.spaces import Architecture, Space, load, real
from nasturtium.tasks import Task, load_task
from nasturtium.trials import Fidelity, Measurement


class Memory:
    """Checkpoints in a dictionary, by number; the latest wins."""

    def __init__(self) -> None:
        self.saved: list[bytes] = []
        self.by_number: dict[int, bytes] = {}

    def load(self, number: int) -> bytes | None:
        return self.by_number.get(number)

    def reference(self, number: int) -> str | None:
        return str(number) if number in self.by_number else None

    def save(self, data: bytes) -> str:
        self.saved.append(data)
        return f"checkpoint-{len(self.saved)}"


def toy_task() -> Task:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = rng.normal(size=(300, 1, 8, 8)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 0, label * 2 : label * 2 + 2] += 2
    return Task.from_tensors(x, y, name="bars")


@pytest.fixture(scope="module")
def task() -> Task:
    return toy_task().for_search()


@pytest.fixture(scope="module")
def space(task: Task) -> Space:
    return load("chain", stages=2, depth=2, widths=(4, 8)).on(task)


@pytest.fixture(scope="module")
def architecture(space: Space) -> Architecture:
    return space.sample(np.random.default_rng(1))


def trained(
    training: Training, space: Space, task: Task, assignment: Assignment, memory: Memory | None = None
) -> tuple[list[Measurement], Memory]:
    memory = memory or Memory()
    context = Context(space, task, seed=7, checkpoints=memory)
    return list(training.evaluate(assignment, context)), memory


def network_of(memory: Memory) -> dict[str, torch.Tensor]:
    return dict(Checkpoint.from_bytes(memory.saved[-1]).network)


def test_training_learns_an_easy_task(space: Space, task: Task, architecture: Architecture) -> None:
    measured, _ = trained(Training(epochs=6), space, task, Assignment(0, architecture, Fidelity(6)))
    assert [m.step for m in measured] == list(range(7))
    assert measured[-1].metrics["valid_error"] < 0.1
    assert measured[-1].metrics["train_loss"] < measured[1].metrics["train_loss"]
    graph = space.graph(architecture).simplified()
    assert measured[0].metrics == {"params": graph.params, "flops": graph.flops}


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_legs_through_checkpoints_equal_one_training_bit_for_bit(
    space: Space, task: Task, architecture: Architecture, average: float
) -> None:
    training = Training(epochs=8, rungs=3, eta=2, average=average)
    whole, memory = trained(training, space, task, Assignment(0, architecture, Fidelity(8)))
    legs: list[Measurement] = []
    carried = Memory()
    for start, end in ((0, 2), (2, 4), (4, 8)):
        assignment = Assignment(0, architecture, Fidelity(end, schedule=8), start=start)
        leg, carried = trained(training, space, task, assignment, carried)
        carried.by_number[0] = carried.saved[-1]
        legs += leg
    assert [(m.step, m.metrics) for m in legs] == [(m.step, m.metrics) for m in whole]
    for name, tensor in network_of(memory).items():
        assert torch.equal(tensor, network_of(carried)[name]), name


def test_a_missing_checkpoint_means_a_fresh_start_and_a_remark(
    space: Space, task: Task, architecture: Architecture
) -> None:
    assignment = Assignment(0, architecture, Fidelity(2), start=1)
    measured, _ = trained(Training(epochs=2), space, task, assignment)
    assert [m.step for m in measured] == [0, 1, 2]
    assert measured[0].note == "the trial's checkpoint is missing: begun anew"


def test_a_network_that_diverges_says_so(space: Space, task: Task, architecture: Architecture) -> None:
    wild = Training(epochs=1, learning_rate=1e30, clip=1e30)
    with pytest.raises(Diverged, match=r"the loss is .* in epoch 1"):
        trained(wild, space, task, Assignment(0, architecture, Fidelity(1)))


def test_another_seed_gives_other_weights(space: Space, task: Task, architecture: Architecture) -> None:
    assignment = Assignment(0, architecture, Fidelity(1))
    one, two = Memory(), Memory()
    for seed, memory in ((1, one), (2, two)):
        list(Training(epochs=1).evaluate(assignment, Context(space, task, seed, memory)))
    assert any(not torch.equal(t, network_of(two)[n]) for n, t in network_of(one).items())


def test_the_judged_network_is_the_one_in_the_checkpoint(space: Space, task: Task, architecture: Architecture) -> None:
    measured, memory = trained(Training(epochs=2), space, task, Assignment(0, architecture, Fidelity(2)))
    network = build(space.graph(architecture).simplified())
    network.load_state_dict(network_of(memory))
    assert judge(network, task, task.valid, "valid") == {"valid_error": measured[-1].metrics["valid_error"]}


def test_children_inherit_what_the_edit_left_alone(task: Task) -> None:
    space = load("morphism", layers=2).on(task)
    parent = space.start()
    memory = Memory()
    training = Training(epochs=3, weights="inherit")
    measured, _ = trained(training, space, task, Assignment(0, parent, Fidelity(3)), memory)
    memory.by_number[0] = memory.saved[-1]
    edit = space.edits(parent)[0]
    child = space.apply(parent, edit)
    assignment = Assignment(1, child, Fidelity(1), parents=(0,), edits=(edit,))
    inherited, _ = trained(replace(training, epochs=1, learning_rate=1e-6), space, task, assignment, memory)
    error = measured[-1].metrics["valid_error"]
    assert inherited[-1].metrics["valid_error"] == pytest.approx(error, abs=0.03)
    assert inherited[0].note is None


def test_a_missing_parent_means_fresh_weights_and_a_remark(task: Task) -> None:
    space = load("morphism", layers=2).on(task)
    assignment = Assignment(1, space.start(), Fidelity(1), parents=(0,))
    measured, _ = trained(Training(epochs=1, weights="inherit"), space, task, assignment)
    assert measured[0].note == "the parent's checkpoint is missing: fresh weights"


def test_the_architecture_may_set_training_hyperparameters(space: Space, task: Task) -> None:
    joint = load("chain", stages=2, depth=2, widths=(4,)).on(task).with_training(learning_rate=real(0.01, 1, log=True))
    architecture = joint.sample(np.random.default_rng(0))
    recipe = Training().settings(task.recipe, joint.training(architecture))
    assert recipe.learning_rate == architecture["training.learning_rate"]
    wrong = space.with_training(learning_rat=real(0.1, 1))  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="no hyper-parameter 'learning_rat'; did you mean 'learning_rate'"):
        trained(Training(epochs=1), wrong, task, Assignment(0, wrong.sample(np.random.default_rng(0)), Fidelity(1)))


def test_the_final_training_has_no_validation_data(space: Space, architecture: Architecture) -> None:
    task = toy_task().for_final()
    training = Training(epochs=2).final(3)
    measured, memory = trained(training, space, task, Assignment(0, architecture, Fidelity(3)))
    assert set(measured[-1].metrics) == {"train_loss", "train_error"}
    assert len(memory.saved) == 1


def test_a_share_of_the_data_is_a_fidelity(space: Space, task: Task, architecture: Architecture) -> None:
    training = Training(epochs=1, fraction=0.25)
    assert training.ladder()[-1].fidelity == Fidelity(1, fraction=0.25)
    measured, _ = trained(training, space, task, Assignment(0, architecture, training.ladder()[-1].fidelity))
    assert measured[-1].step == 1


def test_a_task_of_numbers_is_trained_by_its_own_error(space: Space, architecture: Architecture) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1, 8, 8)).astype(np.float32)
    task = Task.from_tensors(x, x.mean((1, 2, 3))).for_search()
    assert task.loss is torch.nn.functional.mse_loss
    measured, _ = trained(Training(epochs=8), space.on(task), task, Assignment(0, architecture, Fidelity(8)))
    # The unexplained share of the variance, which the standardized loss is too.
    assert measured[-1].metrics["train_error"] == pytest.approx(measured[-1].metrics["train_loss"], rel=0.1)
    assert measured[-1].metrics["train_error"] < measured[1].metrics["train_error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"fraction": 0.0}, "fraction, resolution, width are in"),
        ({"recipe": "slow"}, "unknown recipe 'slow'"),
        ({"learning_rate": 0.0}, "learning_rate and clip are positive"),
        ({"weights": "copied"}, "weights are 'random' or 'inherit', got 'copied'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Training(**arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Task:
    path = tmp_path_factory.mktemp("text") / "counting.txt"
    path.write_text("aabbcc" * 400)
    return load_task(f"text(path={str(path)!r}, steps=8)").for_search()


class TestTexts:
    def test_a_recurrent_network_learns_what_only_memory_tells(self, counting: Task) -> None:
        space = load("recurrent-baseline", hidden=16).on(counting)
        architecture = space.parse('{"kind": "gru"}')
        training = Training(epochs=3, batch_size=8, learning_rate=0.03)
        measured, _ = trained(training, space, counting, Assignment(0, architecture, Fidelity(3)))
        # By the last letter alone, two are equally likely to follow.
        assert measured[-1].metrics["valid_perplexity"] < 1.2
        assert measured[-1].metrics["valid_error"] < 0.05

    def test_the_recipe_is_the_tasks_unless_told_otherwise(self, counting: Task) -> None:
        usual = RECIPES["text"]
        assert counting.recipe == "text"
        assert Training().settings(counting.recipe) == usual
        assert Training(learning_rate=0.5).settings(counting.recipe) == replace(usual, learning_rate=0.5)
        assert Training(recipe="fast").settings(counting.recipe) == RECIPES["fast"]

    def test_a_continued_training_equals_an_uninterrupted_one(self, counting: Task) -> None:
        space = load("recurrent", base=2, hidden=8, dropout=0.2).on(counting)
        architecture = space.sample(np.random.default_rng(0))
        training = Training(epochs=2, rungs=2, eta=2)
        first, second = (rung.fidelity for rung in training.ladder())
        _, memory = trained(training, space, counting, Assignment(0, architecture, first))
        memory.by_number[0] = memory.saved[-1]
        trained(training, space, counting, Assignment(0, architecture, second, start=1), memory)
        _, whole = trained(training, space, counting, Assignment(0, architecture, second))
        one, other = network_of(memory), network_of(whole)
        assert all(torch.equal(one[name], other[name]) for name in other)
