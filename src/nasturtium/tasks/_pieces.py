"""The functions a task is trained and judged with: loss, metrics, augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Generator, Tensor

from nasturtium.errors import DataError

if TYPE_CHECKING:
    from nasturtium.tasks._split import Split

Loss = Callable[[Tensor, Tensor], Tensor]
"""``(logits, y) -> scalar``: what training minimizes; logits ``(n, n_outputs)``, y ``(n,)`` for
classes and ``(n, n_outputs)`` for labels and standardized numbers."""

Metric = Callable[[Tensor, Tensor], "float | Tensor"]
"""``(logits, y) -> number`` over a whole split at once; lower is better unless an objective says
otherwise."""

Augment = Callable[[Tensor, Generator], Tensor]
"""``(x, generator) -> x`` of the same shape: x is a normalized float32 batch on any device, every
random number comes from the generator (on the CPU), and the argument is not changed."""


@final
@dataclass(frozen=True)
class Pieces:
    """The functions that a user has instead of a goal's own.

    Args:
        metric: One, called by its function's name, or several by name; beside the goal's.
        loss: None takes the goal's.
        augment: None leaves examples as they are.
    """

    metric: Metric | Mapping[str, Metric] | None = None
    loss: Loss | None = None
    augment: Augment | None = None


def classification_error(logits: Tensor, y: Tensor) -> float:
    """Return the share of examples, in [0, 1], whose largest logit is not that of their class.

    An example with a logit that is NaN or infinite counts as wrong, so a diverged network is not
    mistaken for one that predicts the first class.

    Args:
        logits: Shape ``(n, n_classes)``, n >= 1.
        y: Class numbers, shape ``(n,)``.

    Example:
        >>> classification_error(torch.tensor([[1.0, 0.0], [0.0, torch.nan]]), torch.tensor([0, 1]))
        0.5
    """
    wrong = (logits.argmax(1) != y) | ~logits.isfinite().all(1)
    return wrong.double().mean().item()


def balanced_error(logits: Tensor, y: Tensor) -> float:
    """Return the mean over the classes of the share of their examples that are wrong, in [0, 1].

    A class that does not occur is left out.

    Args:
        logits: As in ``classification_error``.
        y: Likewise.

    Example:
        >>> balanced_error(torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1]))
        0.5
    """
    wrong = ((logits.argmax(1) != y) | ~logits.isfinite().all(1)).double()
    return torch.stack([wrong[y == c].mean() for c in range(logits.shape[1]) if (y == c).any()]).mean().item()


def label_error(logits: Tensor, y: Tensor) -> float:
    """Return the share of wrong labels among all labels of all examples, in [0, 1].

    Args:
        logits: Shape ``(n, n_labels)``; above 0 means that the example has the label.
        y: 0 or 1, shape ``(n, n_labels)``.

    Example:
        >>> label_error(torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        0.25
    """
    wrong = ((logits > 0) != (y > 0.5)) | ~logits.isfinite()
    return wrong.double().mean().item()


def named_metrics(metric: Metric | Mapping[str, Metric] | None, standard: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return every metric by name: the standard ones, and a user's by the name of the function.

    Raises:
        DataError: The user's are neither a function nor functions by name.
    """
    own: Mapping[str, Metric] = {}
    if callable(metric):
        own = {getattr(metric, "__name__", "metric").strip("<>"): metric}
    elif isinstance(metric, Mapping):
        own = metric
    elif metric is not None:
        raise DataError(
            f"metric is a function (logits, y) -> number, or several by name, got {metric!r}; pass functions."
        )
    return {**standard, **own}


def check_pieces(
    loss: Loss, metrics: Mapping[str, Metric], augment: Augment | None, split: Split, n_outputs: int
) -> None:
    """Try a user's functions once, so that a mistake shows now and not in every trial.

    Args:
        loss: Tried on a few examples.
        metrics: Tried on the whole split, since some want every class.
        augment: Tried on a few examples.
        split: Any part of the data, not empty.
        n_outputs: The width of the logits.

    Raises:
        DataError: A function raises or returns something else than its type says.
    """
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(len(split), n_outputs, generator=generator)
    few = min(4, len(split))
    value = _tried("loss(logits, y)", loss, logits[:few].requires_grad_(), split.y[:few])
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
        raise DataError(
            f"loss(logits, y) must return one differentiable number, got {_form(value)}; "
            "use torch functions and reduce with .mean()."
        )
    for name, metric in metrics.items():
        number = _tried(f"metric {name!r}", metric, logits, split.y)
        _tried(f"the result of metric {name!r} as a number", float, number)
    if augment is not None:
        x, _ = split.take(torch.arange(few))
        changed = _tried("augment(x, generator)", augment, x, generator)
        if not isinstance(changed, Tensor) or changed.shape != x.shape or changed.dtype != x.dtype:
            raise DataError(
                f"augment(x, generator) must return a batch like x ({_form(x)}), "
                f"got {_form(changed)}; keep shape and type."
            )


def _tried(what: str, function: Callable[..., object], *arguments: object) -> object:
    try:
        return function(*arguments)
    except Exception as error:  # a user's function may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"{what} must work on the task's data, got {reason}; mend it.") from error


def _form(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
