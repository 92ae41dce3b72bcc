import pytest
import torch
from torch.nn import functional

from nasturtium.errors import DataError
from nasturtium.tasks import Normalization, Split, classification_error
from nasturtium.tasks._pieces import check_pieces, named_metrics


def balanced_error(logits, y):
    return float((logits.argmax(1) != y).float().mean())


SPLIT = Split(torch.zeros(6, 2), torch.arange(6) % 3, Normalization((0.0, 0.0), (1.0, 1.0)))


def check(loss=functional.cross_entropy, metrics=None, augment=None):
    check_pieces(loss, metrics or {}, augment, SPLIT, 3)


def test_error_counts_wrong_answers():
    logits = torch.eye(3)[[0, 1, 2, 0]]
    assert classification_error(logits, torch.tensor([0, 1, 2, 0])) == 0
    assert classification_error(logits, torch.tensor([0, 1, 1, 1])) == 0.5
    assert classification_error(logits, torch.tensor([1, 2, 0, 1])) == 1


def test_diverged_network_is_always_wrong():
    logits = torch.full((4, 3), torch.nan)
    assert classification_error(logits, torch.zeros(4, dtype=torch.long)) == 1
    assert classification_error(torch.full((4, 3), torch.inf), torch.zeros(4).long()) == 1


def test_metrics_have_names():
    standard = {"error": classification_error}
    assert list(named_metrics(None, standard)) == ["error"]
    assert list(named_metrics(balanced_error, standard)) == ["error", "balanced_error"]
    assert list(named_metrics({"a": balanced_error, "b": balanced_error}, standard)) == ["error", "a", "b"]
    assert named_metrics({"error": balanced_error}, standard) == {"error": balanced_error}
    assert list(named_metrics(lambda logits, y: 0.0, standard)) == ["error", "lambda"]
    with pytest.raises(DataError, match=r"metric is a function .*, got 'accuracy'; pass functions"):
        named_metrics("accuracy", standard)


def test_good_pieces_pass():
    check(metrics=named_metrics(balanced_error, {}), augment=lambda x, generator: x + 1)
    check(metrics={"tensor": lambda logits, y: logits.mean()})


def broken(*arguments):
    raise RuntimeError("out\nof order")


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ({"loss": broken}, r"loss\(logits, y\) must work .* got RuntimeError: out of order; mend"),
        ({"loss": lambda logits, y: logits}, r"one differentiable number, got a .* shape \(4, 3\)"),
        ({"loss": lambda logits, y: 1.0}, r"one differentiable number, got a float"),
        ({"loss": lambda logits, y: logits.detach().mean()}, r"one differentiable number"),
        ({"metrics": {"mine": broken}}, r"metric 'mine' must work on .* RuntimeError"),
        ({"metrics": {"mine": lambda logits, y: None}}, r"metric 'mine' as a number"),
        ({"augment": broken}, r"augment\(x, generator\) must work"),
        ({"augment": lambda x: x}, r"augment\(x, generator\) must work .* TypeError"),
        ({"augment": lambda x, generator: x[:, :1]}, r"batch like x .*\(4, 2\).*, got .*\(4, 1\)"),
        ({"augment": lambda x, generator: x.double()}, r"got a torch.float64 tensor"),
        ({"augment": lambda x, generator: None}, r"got a NoneType; keep"),
    ],
)
def test_mistakes_show_at_once(pieces, message):
    with pytest.raises(DataError, match=message):
        check(**pieces)
