"""The contract of a task: data in fixed parts, and the functions to train and judge with.

What a task promises:

- Its parts follow from the examples' content (see ``_partition``), in every process and for every
  order of the files, and no example is in two of them. The parts of a text are pieces of it, in order.
- The test part is locked away. A search gets ``task.for_search()`` and a final training
  ``task.for_final()``; neither holds a byte of it, and only ``task.test()`` of the whole task,
  which stays with whoever runs the final evaluation, gives it out.
- It is immutable, and it pickles by cloudpickle together with a user's functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, final

import torch

from nasturtium.errors import UsageError
from nasturtium.tasks._arrays import collect
from nasturtium.tasks._partition import partition, prefix
from nasturtium.tasks._pieces import Augment, Loss, Metric, Pieces, check_pieces, named_metrics
from nasturtium.tasks._split import Normalization, Split
from nasturtium.tasks._targets import labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor
    from torch.utils.data import DataLoader

    from nasturtium.tasks._arrays import Examples
    from nasturtium.tasks._goals import Goal, Kind
    from nasturtium.tasks._part import Part
    from nasturtium.tasks._partition import Partition


@final
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Task:
    """What the networks are to learn.

    Made by ``load_task``, ``Task.from_tensors`` or ``Task.from_datasets``.

    Args:
        name: For people: a built-in name, a file's or folder's name.
        source: The text from which ``load_task`` makes the task again, or None.
        goal: What the outputs mean, such as classes.
        train: What weights are trained on.
        valid: What a search judges by; empty (of length 0) in ``for_final()``.
        normalization: Found on the training part only, and the same for every part.
        loss: ``(logits, y) -> scalar``.
        metrics: By name, each ``(logits, y) -> number`` over a whole part.
        augment: ``(x, generator) -> x``, or None.
        content: A hash of all examples, labels and parts, hexadecimal: two tasks with the same
            content have the same data in the same parts.
        files: Text files, by name, that make a user's raw data into examples; an export puts them
            beside the network.
        recipe: Name of the recipe by which networks are trained, unless an estimator is told otherwise.
    """

    name: str
    source: str | None = None
    goal: Goal
    train: Part
    valid: Part
    normalization: Normalization
    loss: Loss
    metrics: Mapping[str, Metric]
    augment: Augment | None
    content: str
    files: Mapping[str, str] = field(default_factory=dict)
    recipe: str = "fast"
    _test: Part | None

    @classmethod
    def from_tensors(
        cls,
        x: ArrayLike | Tensor,
        y: ArrayLike | Tensor,
        *,
        x_test: ArrayLike | Tensor | None = None,
        y_test: ArrayLike | Tensor | None = None,
        kind: Kind | None = None,
        balanced: bool = False,
        has_test: bool = True,
        metric: Metric | Mapping[str, Metric] | None = None,
        loss: Loss | None = None,
        augment: Augment | None = None,
        name: str = "tensors",
        classes: Sequence[str] | None = None,
    ) -> Task:
        """Return a task from arrays; they are copied.

        A fifth of each class (or of all examples) is kept for the test, unless there is a test set,
        and a fifth of the rest for validation. Examples of ``x`` that occur in ``x_test`` are left
        out.

        Args:
            x: Numbers of shape ``(n, channels, height, width)``, ``(n, height, width)`` or
                ``(n, features)``. Also ``(n, height, width, channels)``, which is recognized by 1,
                3 or 4 channels and a height and width above 4. 8-bit values stay 8-bit, others
                become float32.
            y: Classes as whole numbers or strings, shape ``(n,)``; numbers to predict as floats,
                ``(n,)`` or ``(n, targets)``; or labels as 0 and 1, ``(n, labels)``.
            x_test: The data set's own test examples, in the form of ``x``.
            y_test: Their labels.
            kind: ``"classification"``, ``"multi-label"`` or ``"regression"``; by default what y
                looks like.
            balanced: Whether the loss gives rare classes (or labels) as much weight as frequent
                ones; judge by ``valid_balanced_error`` then.
            has_test: Whether a fifth is kept for the test; without, nothing is tested.
            metric: ``(logits, y) -> number`` over a whole part, lower is better, called by its
                function's name (``valid_<name>``); or several by name. ``error`` is always there.
            loss: ``(logits, y) -> scalar``; by default cross entropy, or for numbers, which are
                standardized, the mean square.
            augment: ``(x, generator) -> x`` on normalized float32 batches, such as
                ``Crop(padding=2)``; none by default.
            name: For people.
            classes: The classes' names, where y holds their positions; by default the different
                values of y, sorted. Of numbers and labels, the columns' names.

        Raises:
            DataError: The data is unusable, or a function does not work on it; see the message.

        Example:
            >>> def worst_error(logits, y):
            ...     wrong = (logits.argmax(1) != y).float()
            ...     return torch.stack([wrong[y == c].mean() for c in y.unique()]).max()
            >>> def smooth(logits, y):
            ...     return torch.nn.functional.cross_entropy(logits, y, label_smoothing=0.1)
            >>> def noise(x, generator):
            ...     return x + 0.1 * torch.randn(x.shape, generator=generator).to(x.device)
            >>> x, y = torch.arange(400.0).view(100, 4).sin(), torch.arange(100) % 2
            >>> Task.from_tensors(x, y, metric=worst_error, loss=smooth, augment=noise)
            Task(tensors: (4,) -> 2 classes; 64 train, 16 valid, 20 test)
        """
        found = labelled(x, y, (x_test, y_test), kind=kind, classes=classes)
        inputs, values, goal = found.inputs, found.values, found.goal
        parts = parts_of(inputs, values, goal, n_test=found.n_test, has_test=has_test)
        return assembled(
            inputs,
            values,
            parts,
            goal.fitted(values[parts.train], balanced=balanced),
            normalization=Normalization.fit(inputs[parts.train]),
            pieces=Pieces(metric, loss, augment),
            name=name,
        )

    @classmethod
    def from_datasets(
        cls,
        train: Examples | DataLoader[Any],
        test: Examples | DataLoader[Any] | None = None,
        *,
        kind: Kind | None = None,
        balanced: bool = False,
        metric: Metric | Mapping[str, Metric] | None = None,
        loss: Loss | None = None,
        augment: Augment | None = None,
        name: str = "datasets",
        classes: Sequence[str] | None = None,
    ) -> Task:
        """Return a task from one or two torch Datasets of pairs (x, y), or DataLoaders of such.

        Every example is read once, so give them without random transforms and pass ``augment``.
        The other arguments are those of ``from_tensors``.

        Args:
            train: Training and validation examples, all of one shape.
            test: The test examples; None keeps a fifth of ``train`` for it.
            kind: As in ``from_tensors``.
            balanced: As in ``from_tensors``.
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
            kind=kind,
            balanced=balanced,
            metric=metric,
            loss=loss,
            augment=augment,
            name=name,
            classes=classes,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The outputs' names: of classes, labels or targets."""
        return self.goal.names

    @property
    def n_outputs(self) -> int:
        """The number of a network's outputs."""
        return self.goal.n_outputs

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example: ``(channels, height, width)``, ``(features,)``, or ``()`` of a token."""
        return tuple(self.train.x.shape[1:])

    @property
    def over_time(self) -> bool:
        """Whether networks read sequences and remember: it is so for texts."""
        return self.train.over_time

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
        strata, _ = self.goal.strata(self.train.y.cpu().numpy())
        index = torch.from_numpy(prefix(strata, fraction))
        return replace(self, train=self.train.select(index))

    def resized(self, resolution: float) -> Task:
        """Return the task with smaller images for training and validation, each pixel a mean of old ones.

        Normalization, content and test stay.

        Args:
            resolution: Factor on height and width, in (0, 1]; at least one pixel stays.

        Raises:
            UsageError: The examples are no images, or ``resolution`` is not in (0, 1].

        Example:
            >>> x, y = torch.arange(6400.0).view(100, 1, 8, 8).sin(), torch.arange(100) % 2
            >>> Task.from_tensors(x, y).resized(0.5).input_shape
            (1, 4, 4)
        """
        shape = self.input_shape
        if len(shape) != 3 or not 0 < resolution <= 1:
            raise UsageError(
                f"resolution is a factor in (0, 1] on images, got {resolution} for {shape}; leave it at 1."
            )
        assert isinstance(self.train, Split), "images are in a split"
        assert isinstance(self.valid, Split), "so are those of the other part"
        height, width = (max(1, round(side * resolution)) for side in shape[1:])
        return replace(self, train=self.train.resized(height, width), valid=self.valid.resized(height, width))

    def to(self, device: str | torch.device) -> Task:
        """Return the task with what training and validation read on a device."""
        return replace(self, train=self.train.to(device), valid=self.valid.to(device))

    def test(self) -> Part:
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
            f"Task({self.name}: {self.input_shape} -> {self.goal.text}; "
            f"{len(self.train)} train, {len(self.valid)} valid, {test} test)"
        )


def parts_of(
    inputs: NDArray[Any], values: NDArray[Any], goal: Goal, *, n_test: int = 0, has_test: bool = True
) -> Partition:
    """Return which example is in which part; see ``partition``."""
    strata, names = goal.strata(values)
    return partition(inputs, goal.order(values), names, n_test, strata=strata, has_test=has_test)


def assembled(
    inputs: NDArray[Any],
    values: NDArray[Any],
    parts: Partition,
    goal: Goal,
    *,
    normalization: Normalization,
    pieces: Pieces,
    name: str,
    files: Mapping[str, str] | None = None,
) -> Task:
    """Return the task of examples whose parts are known; its functions are tried once.

    Args:
        inputs: Shape ``(n, ..., channels)``.
        values: As ``goal.encode`` takes them.
        parts: Which row is in which part.
        goal: Fitted.
        normalization: Of the examples.
        pieces: The user's functions.
        name: For people.
        files: As in ``Task``.
    """
    encoded = goal.encode(values)
    train, valid, test = (
        Split(torch.from_numpy(inputs[rows]).movedim(-1, 1), torch.from_numpy(encoded[rows]), normalization)
        for rows in (parts.train, parts.valid, parts.test)
    )
    task = Task(
        name=name,
        goal=goal,
        train=train,
        valid=valid,
        normalization=normalization,
        loss=goal.loss if pieces.loss is None else pieces.loss,
        metrics=named_metrics(pieces.metric, goal.metrics),
        augment=pieces.augment,
        content=parts.content,
        files=files or {},
        _test=test,
    )
    check_pieces(task.loss, task.metrics, task.augment, valid, task.n_outputs)
    return task
