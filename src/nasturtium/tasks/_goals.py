"""What a network's outputs mean: a class, several labels, or numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np
import torch
from torch.nn import functional

from nasturtium.errors import UsageError
from nasturtium.tasks._pieces import balanced_error, classification_error, label_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor
    from typing_extensions import Self

    from nasturtium.tasks._pieces import Loss, Metric

    IntArray = NDArray[np.int64]

Kind = Literal["classification", "multi-label", "regression"]


class Goal(ABC):
    """What the outputs mean: how y is encoded, what is minimized, how a network is judged.

    Every goal has the metric ``error``, a share in [0, 1] that is 0 for a perfect network.

    Attributes:
        counts_examples: Whether ``error`` is a share of independent examples, which has a binomial
            interval.
        objective: What a search makes small unless it is told otherwise.
    """

    counts_examples: ClassVar[bool] = False
    objective: ClassVar[str] = "valid_error"

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The name of each output."""

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return len(self.names)

    @abstractmethod
    def strata(self, y: NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
        """Return a number for each row, and the numbers' names; every part gets rows of each.

        Args:
            y: What ``encode`` takes.
        """

    def order(self, y: NDArray[Any]) -> IntArray:
        """Return a number for each row that follows from its y alone."""
        return np.array([int.from_bytes(blake2b(row.tobytes(), digest_size=7).digest(), "big") for row in y], np.int64)

    @abstractmethod
    def fitted(self, y: NDArray[Any], *, balanced: bool) -> Self:
        """Return the goal with what it learns from the training part's y.

        Args:
            y: Of the training part.
            balanced: Whether what is rare weighs as much as what is frequent.
        """

    @abstractmethod
    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return y as the loss takes it."""

    @property
    @abstractmethod
    def loss(self) -> Loss:
        """``(logits, y) -> scalar``, unless the user has another."""

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that every task of this goal has; ``error`` among them."""

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """What an exported network needs for its outputs to be read: JSON data."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The goal in two words, such as ``"10 classes"``."""


@final
@dataclass(frozen=True)
class Classification(Goal):
    """One of several classes; class i has logit i.

    Args:
        classes: Their names.
        weights: Of each class in the loss; empty for equal ones.
    """

    classes: tuple[str, ...]
    weights: tuple[float, ...] = ()

    counts_examples: ClassVar[bool] = True

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names."""
        return self.classes

    def strata(self, y: NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
        """Return the classes: each part has the same share of each."""
        return y, self.classes

    def order(self, y: NDArray[Any]) -> IntArray:
        """Return the class numbers."""
        return y

    def fitted(self, y: NDArray[Any], *, balanced: bool) -> Self:
        """Return the goal with weights inverse to the classes' frequency, if that is asked for."""
        if not balanced:
            return self
        counts = np.maximum(np.bincount(y, minlength=len(self.classes)), 1)
        return replace(self, weights=tuple((len(y) / len(self.classes) / counts).tolist()))

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the class numbers."""
        return y

    @property
    def loss(self) -> Loss:
        """Cross entropy, weighted if the classes have weights."""
        return WeightedCrossEntropy(self.weights) if self.weights else functional.cross_entropy

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The share of wrong examples; with weights, also its mean over the classes."""
        balanced: dict[str, Metric] = {"balanced_error": balanced_error} if self.weights else {}
        return {"error": classification_error, **balanced}

    @property
    def facts(self) -> Mapping[str, Any]:
        """The classes' names."""
        return {"classes": list(self.classes)}

    @property
    def text(self) -> str:
        """The number of classes."""
        return f"{len(self.classes)} classes"


@final
@dataclass(frozen=True)
class WeightedCrossEntropy:
    """Cross entropy in which each example weighs as its class does.

    Args:
        weights: One a class.
    """

    weights: tuple[float, ...]

    def __call__(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the weighted mean."""
        return functional.cross_entropy(logits, y, torch.tensor(self.weights, dtype=logits.dtype, device=logits.device))


@final
@dataclass(frozen=True)
class MultiLabel(Goal):
    """Several labels, each of which an example has or not; it has label i if output i is above 0.

    Args:
        labels: Their names.
        weights: Of the examples that have a label, one a label; empty for 1.
    """

    labels: tuple[str, ...]
    weights: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names."""
        return self.labels

    def strata(self, y: NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
        """Return one stratum, since most combinations of labels are rare."""
        return np.zeros(len(y), np.int64), ("all examples",)

    def fitted(self, y: NDArray[Any], *, balanced: bool) -> Self:
        """Return the goal with weights by which having a label counts as much as not having it."""
        if not balanced:
            return self
        having = np.clip(y.sum(0), 1, None)
        return replace(self, weights=tuple(((len(y) - y.sum(0)).clip(1) / having).tolist()))

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return 0 and 1 as float32."""
        return y.astype(np.float32)

    @property
    def loss(self) -> Loss:
        """Binary cross entropy, its mean over labels and examples."""
        return BinaryCrossEntropy(self.weights)

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The share of wrong labels."""
        return {"error": label_error}

    @property
    def facts(self) -> Mapping[str, Any]:
        """The labels' names."""
        return {"labels": list(self.labels)}

    @property
    def text(self) -> str:
        """The number of labels."""
        return f"{len(self.labels)} labels"


@final
@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Binary cross entropy of logits, in which having a label may weigh more.

    Args:
        weights: One a label, or empty.
    """

    weights: tuple[float, ...] = ()

    def __call__(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the mean."""
        weights = torch.tensor(self.weights, dtype=logits.dtype, device=logits.device) if self.weights else None
        return functional.binary_cross_entropy_with_logits(logits, y, pos_weight=weights)


@final
@dataclass(frozen=True)
class Regression(Goal):
    """Numbers; the network's outputs are standardized by mean and deviation of the training part.

    Args:
        targets: Their names.
        mean: Of each over the training part.
        std: Likewise; 1 for a constant.
    """

    targets: tuple[str, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The targets' names."""
        return self.targets

    def strata(self, y: NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
        """Return one stratum."""
        return np.zeros(len(y), np.int64), ("all examples",)

    def fitted(self, y: NDArray[Any], *, balanced: bool) -> Self:
        """Return the goal with the mean and deviation of each target."""
        if balanced:
            raise UsageError("balanced=True is for classes and labels, got numbers to predict; leave it out.")
        std = y.std(0)
        std[std <= 1e-9 * np.abs(y.mean(0))] = 1.0
        return replace(self, mean=tuple(y.mean(0).tolist()), std=tuple(std.tolist()))

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the standardized targets, float32."""
        return np.asarray((y - np.array(self.mean)) / np.array(self.std), np.float32)

    @property
    def loss(self) -> Loss:
        """The mean squared error of standardized targets."""
        return functional.mse_loss

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The unexplained share of the variance; root of the mean square and mean in the targets' unit."""
        return {
            "error": unexplained_variance,
            "rmse": InUnits(self.std, "rmse"),
            "mae": InUnits(self.std, "mae"),
        }

    @property
    def facts(self) -> Mapping[str, Any]:
        """The targets' names, and what makes outputs into their unit."""
        return {"targets": list(self.targets), "target_mean": list(self.mean), "target_std": list(self.std)}

    @property
    def text(self) -> str:
        """The number of targets."""
        return f"{len(self.targets)} number{'s' * (len(self.targets) > 1)}"


def unexplained_variance(outputs: Tensor, y: Tensor) -> float:
    """Return the share of the targets' variance that is not explained, 1 - R², at most 1.

    Several targets count alike. What is NaN or infinite explains nothing.

    Args:
        outputs: Shape ``(n, n_targets)``.
        y: Likewise.

    Example:
        >>> y = torch.tensor([[0.0], [2.0]])
        >>> unexplained_variance(torch.tensor([[0.5], [1.5]]), y), unexplained_variance(10 * y, y)
        (0.25, 1.0)
    """
    y = y.double()
    missed = (outputs.double() - y).square().mean(0)
    spread = (y - y.mean(0)).square().mean(0).clamp(min=1e-12)
    share = (missed / spread).nan_to_num(nan=1.0, posinf=1.0).clamp(max=1.0)
    return share.mean().item()


@final
@dataclass(frozen=True)
class InUnits:
    """The mean distance from the targets in their own unit.

    Args:
        std: By which the targets were divided.
        mean: ``"rmse"`` for the root of the mean square, ``"mae"`` for the mean.

    Example:
        >>> InUnits((10.0,), "mae")(torch.tensor([[0.5], [0.0]]), torch.zeros(2, 1))
        2.5
    """

    std: tuple[float, ...]
    mean: str

    def __call__(self, outputs: Tensor, y: Tensor) -> float:
        """Return the mean over examples and targets."""
        away = (outputs.double() - y.double()) * torch.tensor(self.std, dtype=torch.float64, device=y.device)
        return (away.square().mean().sqrt() if self.mean == "rmse" else away.abs().mean()).item()
