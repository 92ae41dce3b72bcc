"""The contract of a part of a task's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from torch import Generator, Tensor
    from typing_extensions import Self

    from nasturtium.tasks._pieces import Augment, Metric
    from nasturtium.tasks._tally import Tally


class Part(Protocol):
    """Examples in memory, and how a training and an evaluation go through them."""

    @property
    def x(self) -> Tensor:
        """What networks read, shape ``(n, *input_shape)``."""

    @property
    def y(self) -> Tensor:
        """What they predict, shape ``(n, ...)``."""

    @property
    def over_time(self) -> bool:
        """Whether a batch is sequences that go on where those of the last one ended."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def select(self, index: Tensor) -> Self:
        """Return some examples, copied, so that no reference to the others is held.

        Args:
            index: Positions, shape ``(k,)``, int64.
        """

    def joined(self, other: Self) -> Self:
        """Return a copy of these examples followed by the other's."""

    def to(self, device: str | torch.device) -> Self:
        """Return the part on another device; ``batches`` of it are made there."""

    def sample(self) -> Tensor:
        """Return a few examples as a network reads them, shape ``(k, ...)``."""

    def tally(self, metrics: Mapping[str, Metric]) -> Tally:
        """Return what computes metrics from batches of outputs."""

    def n_batches(self, batch_size: int) -> int:
        """Return how many batches an epoch has."""

    def epoch(
        self, batch_size: int, generator: Generator | None, augment: Augment | None, *, drop_last: bool
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield an epoch's batches; see ``batches``."""
