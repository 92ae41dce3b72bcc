"""The contract of a task: data in fixed parts, and the functions to train and judge with.

What a task promises:

- Its parts follow from the examples' content (see ``_partition``), in every process and for every
  order of the files, and no example is in two of them.
- The test part is locked away. A search gets ``task.for_search()`` and a final training
  ``task.for_final()``; neither holds a byte of it, and only ``task.test()`` of the whole task,
  which stays with whoever runs the final evaluation, gives it out.
- It is immutable, and it pickles by cloudpickle together with a user's functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import torch
from torch.nn import functional

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks._arrays import (
    check_same_form,
    check_same_length,
    collect,
    encode,
    encode_known,
    examples,
)
from nasturtium.tasks._partition import partition, prefix
from nasturtium.tasks._pieces import Augment, Loss, Metric, check_pieces, named_metrics
from nasturtium.tasks._split import Normalization, Split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from nasturtium.tasks._arrays import Examples


@final
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Task:
    """What the networks are to learn.

    Made by ``load_task``, ``Task.from_tensors`` or ``Task.from_datasets``.

    Args:
        name: For people: a built-in name, a file's or folder's name.
        source: The text from which ``load_task`` makes the task again, or None.
        classes: The classes' names; class i has logit i.
        n_outputs: The width of the logits.
        train: What weights are trained on.
        valid: What a search judges by; empty (of length 0) in ``for_final()``.
        normalization: Found on the training part only, and the same for every part.
        loss: ``(logits, y) -> scalar``.
        metrics: By name, each ``(logits, y) -> number`` over a whole part.
        augment: ``(x, generator) -> x``, or None.
        content: A hash of all examples, labels and parts, hexadecimal: two tasks with the same
            content have the same data in the same parts.
    """

    name: str
    source: str | None = None
    classes: tuple[str, ...]
    n_outputs: int
    train: Split
    valid: Split
    normalization: Normalization
    loss: Loss
    metrics: Mapping[str, Metric]
    augment: Augment | None
    content: str
    _test: Split | None

    @classmethod
    def from_tensors(
        cls,
        x: ArrayLike | Tensor,
        y: ArrayLike | Tensor,
        *,
        x_test: ArrayLike | Tensor | None = None,
        y_test: ArrayLike | Tensor | None = None,
        metric: Metric | Mapping[str, Metric] | None = None,
        loss: Loss | None = None,
        augment: Augment | None = None,
        name: str = "tensors",
        classes: Sequence[str] | None = None,
    ) -> Task:
        """Return a classification task from arrays; they are copied.

        A fifth of each class is kept for the test, unless there is a test set, and a fifth of the
        rest for validation. Examples of ``x`` that occur in ``x_test`` are left out.

        Args:
            x: Numbers of shape ``(n, channels, height, width)``, ``(n, height, width)`` or
                ``(n, features)``. Also ``(n, height, width, channels)``, which is recognized by 1,
                3 or 4 channels and a height and width above 4. 8-bit values stay 8-bit, others
                become float32.
            y: Whole numbers or strings, shape ``(n,)``.
            x_test: The data set's own test examples, in the form of ``x``.
            y_test: Their labels.
            metric: ``(logits, y) -> number`` over a whole part, lower is better, called by its
                function's name (``valid_<name>``); or several by name. ``error`` is always there.
            loss: ``(logits, y) -> scalar``; cross entropy by default.
            augment: ``(x, generator) -> x`` on normalized float32 batches, such as
                ``Crop(padding=2)``; none by default.
            name: For people.
            classes: The classes' names, where y holds their positions; by default the different
                values of y, sorted.

        Raises:
            DataError: The data is unusable, or a function does not work on it; see the message.

        Example:
            >>> def balanced_error(logits, y):
            ...     wrong = (logits.argmax(1) != y).float()
            ...     return torch.stack([wrong[y == c].mean() for c in y.unique()]).mean()
            >>> def smooth(logits, y):
            ...     return functional.cross_entropy(logits, y, label_smoothing=0.1)
            >>> def noise(x, generator):
            ...     return x + 0.1 * torch.randn(x.shape, generator=generator).to(x.device)
            >>> x, y = torch.arange(400.0).view(100, 4).sin(), torch.arange(100) % 2
            >>> Task.from_tensors(x, y, metric=balanced_error, loss=smooth, augment=noise)
            Task(tensors: (4,) -> 2 classes; 64 train, 16 valid, 20 test)
        """
        inputs, (labels, names) = examples(x), encode(y, classes)
        check_same_length(inputs, labels)
        n_test = 0
        if x_test is not None and y_test is not None:
            more = examples(x_test, "x_test")
            more_labels = encode_known(y_test, names, "y_test", by_name=classes is None)
            check_same_form(inputs, more)
            check_same_length(more, more_labels, "x_test and y_test")
            n_test = len(more)
            inputs, labels = np.concatenate([inputs, more]), np.concatenate([labels, more_labels])
        elif x_test is not None or y_test is not None:
            given, lacking = ("x_test", "y_test") if y_test is None else ("y_test", "x_test")
            raise DataError(f"a test set is x_test and y_test, got {given} alone; add {lacking}.")
        parts = partition(inputs, labels, names, n_test)
        normalization = Normalization.fit(inputs[parts.train])
        train, valid, test = (
            _split(inputs[rows], labels[rows], normalization) for rows in (parts.train, parts.valid, parts.test)
        )
        task = cls(
            name=name,
            classes=names,
            n_outputs=len(names),
            train=train,
            valid=valid,
            normalization=normalization,
            loss=functional.cross_entropy if loss is None else loss,
            metrics=named_metrics(metric),
            augment=augment,
            content=parts.content,
            _test=test,
        )
        check_pieces(task.loss, task.metrics, task.augment, valid, task.n_outputs)
        return task

    @classmethod
    def from_datasets(
        cls,
        train: Examples,
        test: Examples | None = None,
        *,
        metric: Metric | Mapping[str, Metric] | None = None,
        loss: Loss | None = None,
        augment: Augment | None = None,
        name: str = "datasets",
        classes: Sequence[str] | None = None,
    ) -> Task:
        """Return a classification task from one or two torch Datasets of pairs (x, y).

        Every example is read once, so give them without random transforms and pass ``augment``.
        The other arguments are those of ``from_tensors``.

        Args:
            train: Training and validation examples, all of one shape.
            test: The test examples; None keeps a fifth of ``train`` for it.
            metric: As in ``from_tensors``.
            loss: As in ``from_tensors``.
            augment: As in ``from_tensors``.
            name: For people.
            classes: The classes' names, where y holds their positions.

        Raises:
            DataError: The data is unusable; see the message.

        Example:
            >>> x, y = torch.arange(400.0).view(100, 4).sin(), torch.arange(100) % 2
            >>> Task.from_datasets(torch.utils.data.TensorDataset(x, y))
            Task(datasets: (4,) -> 2 classes; 64 train, 16 valid, 20 test)
        """
        x, y = collect(train, "train")
        x_test, y_test = (None, None) if test is None else collect(test, "test")
        return cls.from_tensors(
            x,
            y,
            x_test=x_test,
            y_test=y_test,
            metric=metric,
            loss=loss,
            augment=augment,
            name=name,
            classes=classes,
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example: ``(channels, height, width)`` or ``(features,)``."""
        return tuple(self.train.x.shape[1:])

    def for_search(self) -> Task:
        """Return the task as a search gets it: train and valid, and no trace of the test part."""
        return replace(self, _test=None)

    def for_final(self) -> Task:
        """Return the task as a final training gets it: ``train`` is train and valid together.

        ``valid`` is empty, there is no trace of the test part, and the normalization stays.
        """
        none = self.valid.select(torch.arange(0))
        return replace(self, train=self.train.joined(self.valid), valid=none, _test=None)

    def fit_part(self, kind: Literal["search", "final"]) -> Task:
        """Return ``for_search()`` or ``for_final()``, by the kind of the study."""
        return self.for_final() if kind == "final" else self.for_search()

    def subset(self, fraction: float) -> Task:
        """Return the task with a fixed part of its training examples, the same share of each class.

        Smaller subsets are parts of larger ones. Validation, normalization and content stay.

        Args:
            fraction: In (0, 1]; at least one example of each class stays.

        Raises:
            UsageError: ``fraction`` is not in (0, 1].
        """
        if not 0 < fraction <= 1:
            raise UsageError(f"fraction must be in (0, 1], got {fraction}; 1 is everything.")
        index = torch.from_numpy(prefix(self.train.y.cpu().numpy(), fraction))
        return replace(self, train=self.train.select(index))

    def test(self) -> Split:
        """Return the test part, for the final evaluation.

        Raises:
            UsageError: This is the task of a search or of a final training.
        """
        if self._test is None:
            raise UsageError(
                "the test examples are locked away during search and training, got a task without "
                "them; call test() on the whole task, once the network is final."
            )
        return self._test

    def measure(self, part: Literal["train", "valid", "test"], logits: Tensor, y: Tensor) -> dict[str, float]:
        """Return every metric of one part under its full name, such as ``valid_error``.

        Args:
            part: The part that the logits are of.
            logits: Of the whole part, shape ``(n, n_outputs)``, n >= 1.
            y: Its labels, shape ``(n,)``.
        """
        return {f"{part}_{name}": float(metric(logits, y)) for name, metric in self.metrics.items()}

    def __repr__(self) -> str:
        test = "locked" if self._test is None else str(len(self._test))
        return (
            f"Task({self.name}: {self.input_shape} -> {len(self.classes)} classes; "
            f"{len(self.train)} train, {len(self.valid)} valid, {test} test)"
        )


def _split(x: NDArray[Any], y: NDArray[np.int64], normalization: Normalization) -> Split:
    """Return a split of copied rows whose last dimension is the channel."""
    return Split(torch.from_numpy(x).movedim(-1, 1), torch.from_numpy(y), normalization)
