"""What a task's metrics say of a part whose outputs come batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from nasturtium.tasks._pieces import Metric


class Tally(ABC):
    """Takes the outputs of a part, batch by batch, and gives the metrics in the end."""

    @abstractmethod
    def add(self, outputs: Tensor, y: Tensor) -> None:
        """Take a batch's outputs, shape ``(n, n_outputs)``, and its y."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """Return each metric over all batches, of which there is at least one."""


@final
class WholeTally(Tally):
    """Keeps all outputs, since a metric may be any function of them.

    Args:
        metrics: By name.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        self._outputs: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, outputs: Tensor, y: Tensor) -> None:
        """Keep them."""
        self._outputs.append(outputs)
        self._labels.append(y)

    def metrics(self) -> dict[str, float]:
        """Return each metric of all outputs together."""
        outputs, labels = torch.cat(self._outputs), torch.cat(self._labels)
        return {name: float(metric(outputs, labels)) for name, metric in self._metrics.items()}


@final
@dataclass(frozen=True)
class TokenMean:
    """A metric that is a function of a mean over tokens.

    Args:
        score: ``(outputs, y) -> scores``, shape ``(n,)``.
        finish: What is made of the mean.
    """

    score: Callable[[Tensor, Tensor], Tensor]
    finish: Callable[[float], float] = float

    def __call__(self, outputs: Tensor, y: Tensor) -> float:
        """Return the metric of some tokens."""
        return self.finish(float(self.score(outputs, y).double().mean()))


@final
class MeanTally(Tally):
    """Keeps sums over tokens, since the outputs of a long text would not fit into memory.

    Args:
        metrics: By name, each a ``TokenMean``.

    Raises:
        UsageError: One is none.

    Example:
        >>> share = TokenMean(lambda outputs, y: (outputs.argmax(1) != y).float())
        >>> tally = MeanTally({"error": share})
        >>> for outputs, y in ([[[1.0, 0.0]], [0]], [[[1.0, 0.0]] * 3, [1, 0, 1]]):
        ...     tally.add(torch.tensor(outputs), torch.tensor(y))
        >>> tally.metrics()
        {'error': 0.5}
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics: dict[str, TokenMean] = {}
        for name, metric in metrics.items():
            if not isinstance(metric, TokenMean):
                raise UsageError(f"a metric of a text is a TokenMean, got {metric!r} for {name!r}; make it one.")
            self._metrics[name] = metric
        self._sums: dict[str, Tensor] = {}
        self._n = 0

    def add(self, outputs: Tensor, y: Tensor) -> None:
        """Add a batch's scores."""
        self._n += len(y)
        for name, metric in self._metrics.items():
            total = metric.score(outputs, y).double().sum()
            self._sums[name] = self._sums[name] + total if name in self._sums else total

    def metrics(self) -> dict[str, float]:
        """Return each metric of all tokens."""
        return {name: metric.finish(float(self._sums[name]) / self._n) for name, metric in self._metrics.items()}
