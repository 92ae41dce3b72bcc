"""Classes, labels and numbers: what is minimized, how it is judged, what an export says."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, r2_score
from torch.nn import functional

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks import Task
from nasturtium.tasks._goals import Classification, MultiLabel, Regression
from nasturtium.tasks._pieces import balanced_error

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5)).astype(np.float32)
NUMBERS = X[:, :2] @ np.array([[1.0], [2.0]]) * 100 + 7
LABELS = (X[:, :3] > 0.5).astype(int)


def test_the_kind_follows_from_y():
    assert Task.from_tensors(X, np.arange(200) % 3).goal == Classification(("0", "1", "2"))
    assert isinstance(Task.from_tensors(X, NUMBERS[:, 0]).goal, Regression)
    assert Task.from_tensors(X, LABELS, classes=("a", "b", "c")).goal == MultiLabel(("a", "b", "c"))
    assert isinstance(Task.from_tensors(X, np.arange(200), kind="regression").goal, Regression)
    assert repr(Task.from_tensors(X, LABELS)).startswith("Task(tensors: (5,) -> 3 labels; ")
    assert repr(Task.from_tensors(X, NUMBERS)).startswith("Task(tensors: (5,) -> 1 number; ")


def test_targets_are_standardized_on_the_training_part_only():
    task = Task.from_tensors(X, NUMBERS, classes=["price"])
    y = task.train.y
    assert y.shape == (len(task.train), 1)
    assert y.mean().abs() < 1e-5
    assert float(y.std(correction=0)) == pytest.approx(1, abs=1e-5)
    facts = task.goal.facts
    assert facts["targets"] == ["price"]
    back = task.test().y.numpy() * facts["target_std"] + facts["target_mean"]
    assert set(np.round(back[:, 0], 2)) <= set(np.round(NUMBERS[:, 0], 2))
    assert len(task.for_final().train) == len(task.train) + len(task.valid)
    assert task.subset(0.5).train.y.shape[1] == 1


def test_the_error_of_numbers_is_one_minus_r2_and_others_are_in_their_unit():
    task = Task.from_tensors(X, NUMBERS)
    y = task.valid.y
    outputs = y + 0.3 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    measured = task.measure("valid", outputs, y)
    assert measured["valid_error"] == pytest.approx(1 - r2_score(y, outputs), rel=1e-5)
    away = (outputs - y).double() * task.goal.std[0]
    assert measured["valid_rmse"] == pytest.approx(float(away.square().mean().sqrt()))
    assert measured["valid_mae"] == pytest.approx(float(away.abs().mean()))
    assert task.measure("valid", torch.full_like(y, torch.nan), y)["valid_error"] == 1


def test_balanced_error_is_one_minus_balanced_accuracy():
    y = torch.tensor([0] * 90 + [1] * 8 + [2] * 2)
    logits = torch.randn(100, 3, generator=torch.Generator().manual_seed(1))
    assert balanced_error(logits, y) == pytest.approx(1 - balanced_accuracy_score(y, logits.argmax(1)))


def test_balanced_classes_weigh_alike():
    y = np.r_[np.zeros(180, int), np.ones(20, int)]
    task = Task.from_tensors(X, y, balanced=True)
    logits = torch.zeros(len(task.train), 2)
    per_class = [(task.train.y == c).sum() * task.goal.weights[c] for c in (0, 1)]
    assert per_class[0] == pytest.approx(float(per_class[1]))
    assert float(task.loss(logits, task.train.y)) == pytest.approx(np.log(2))
    assert set(task.measure("train", logits, task.train.y)) == {"train_error", "train_balanced_error"}


def test_labels_have_binary_cross_entropy_and_a_share_of_wrong_ones():
    task = Task.from_tensors(X, LABELS)
    y = task.train.y
    logits = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    assert float(task.loss(logits, y)) == pytest.approx(float(functional.binary_cross_entropy_with_logits(logits, y)))
    assert task.measure("train", 2 * y - 1, y) == {"train_error": 0.0}
    balanced = Task.from_tensors(X, LABELS, balanced=True)
    assert balanced.goal.weights == pytest.approx(((1 - y.mean(0)) / y.mean(0)).tolist(), rel=0.05)


def test_without_a_test_part_all_examples_are_for_the_search():
    y = np.r_[np.zeros(9, int), 1]
    task = Task.from_tensors(X[:10], y, has_test=False)
    assert len(task.test()) == 0
    assert len(task.train) + len(task.valid) == 10
    assert 1 in task.train.y  # the class with a single example


def test_the_parts_of_numbers_follow_from_their_content():
    order = RNG.permutation(200)
    assert Task.from_tensors(X[order], NUMBERS[order]).content == Task.from_tensors(X, NUMBERS).content
    assert Task.from_tensors(X, NUMBERS + 1).content != Task.from_tensors(X, NUMBERS).content


def test_a_test_set_of_numbers_of_its_own():
    task = Task.from_tensors(X[:150], NUMBERS[:150], x_test=X[150:], y_test=NUMBERS[150:])
    assert task.test().y.shape == (50, 1)
    with pytest.raises(DataError, match="y_test must have the columns of y, got 2 for 1"):
        Task.from_tensors(X[:150], NUMBERS[:150], x_test=X[150:], y_test=LABELS[150:, :2])


@pytest.mark.parametrize(
    ("y", "arguments", "message"),
    [
        (np.arange(200.0), {}, "may be classes or numbers, got whole numbers as float64; .* or say kind='regression'"),
        (np.eye(4)[np.arange(200) % 4].astype(int), {}, r"got one-hot rows .*; use y.argmax\(1\), or say"),
        (NUMBERS, {"kind": "ranking"}, "kind is one of classification, multi-label, regression, got 'ranking'"),
        (NUMBERS, {"classes": ("a", "b")}, "a column per name, got 1 for 2"),
        (NUMBERS, {"balanced": True}, "balanced=True is for classes and labels, got numbers"),
        (np.where(NUMBERS > 100, np.nan, NUMBERS), {}, "a value for every example, got 57 NaN .* first in row 1;"),
        (3 * LABELS, {"kind": "multi-label"}, "must hold 0 or 1 for each label, got 3"),
        (np.array(["a"] * 200), {"kind": "regression"}, r"must hold numbers of shape \(n,\)"),
        (NUMBERS[:2], {}, "x and y must have the same length"),
    ],
)
def test_bad_targets_are_one_clear_line(y, arguments, message):
    with pytest.raises((DataError, UsageError), match=message):
        Task.from_tensors(X, y, **arguments)
