"""A part of a text: one long sequence of tokens, of which each is predicted from those before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import torch

from nasturtium.tasks._tally import MeanTally, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Generator, Tensor

    from nasturtium.tasks._pieces import Augment, Metric

SAMPLE_STEPS = 8
"""Length of the sequences that an export is traced for, which takes half a second a step."""


@final
@dataclass(frozen=True)
class Stream:
    """A contiguous piece of a text, for training by truncated backpropagation through time.

    An example is a token to predict. An epoch reads ``batch_size`` places of the text side by side,
    each going on where the last batch ended, so that a network's state may be carried along; their
    beginnings are spread evenly. What does not fill a row, less than one token a place, is left out.

    Args:
        tokens: Numbers from 0 on, shape ``(n + 1,)``, int64; n of them are predicted.
        steps: Length of the sequences in a batch.

    References:
        Zaremba, Sutskever & Vinyals 2014 (arXiv 1409.2329), section 4.1.
    """

    tokens: Tensor
    steps: int

    @property
    def x(self) -> Tensor:
        """What is read, shape ``(n,)``."""
        return self.tokens[:-1]

    @property
    def y(self) -> Tensor:
        """What is predicted, shape ``(n,)``: the next token."""
        return self.tokens[1:]

    @property
    def over_time(self) -> bool:
        """True: a batch goes on where the last one ended."""
        return True

    def __len__(self) -> int:
        return len(self.tokens) - 1

    def __repr__(self) -> str:
        return f"Stream({len(self)} tokens, {self.steps} steps)"

    def select(self, index: Tensor) -> Stream:
        """Return a contiguous piece, copied.

        Args:
            index: Rising positions without a gap, shape ``(k,)``, int64.
        """
        start = int(index[0]) if len(index) else 0
        return replace(self, tokens=self.tokens[start : start + len(index) + 1].clone())

    def joined(self, other: Stream) -> Stream:
        """Return this piece followed by what comes after it; the other's first token is this one's last."""
        return replace(self, tokens=torch.cat([self.tokens, other.tokens[1:]]))

    def to(self, device: str | torch.device) -> Stream:
        """Return the stream on another device."""
        return replace(self, tokens=self.tokens.to(device))

    def sample(self) -> Tensor:
        """Return two short sequences as a network reads them, shape ``(2, time)``."""
        return self.x[: 2 * min(self.steps, SAMPLE_STEPS, len(self) // 2)].view(2, -1)

    def tally(self, metrics: Mapping[str, Metric]) -> Tally:
        """Return what computes metrics from batches."""
        return MeanTally(metrics)

    def _shape(self, batch_size: int) -> tuple[int, int]:
        """Return how many places are read, each for at least one sequence if there is one, and how far."""
        places = max(1, min(batch_size, len(self) // self.steps))
        return places, len(self) // places

    def n_batches(self, batch_size: int) -> int:
        """Return how many batches an epoch has."""
        return -(-self._shape(batch_size)[1] // self.steps)

    def epoch(
        self, batch_size: int, generator: Generator | None, augment: Augment | None, *, drop_last: bool
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (tokens, next tokens) of shapes ``(places, steps)`` and ``(places * steps,)``, in order."""
        del generator, augment  # the order is the text's, and no other token would do
        places, length = self._shape(batch_size)
        x, y = (part[: places * length].view(places, length) for part in (self.x, self.y))
        for start in range(0, length, self.steps):
            if not (drop_last and start and start + self.steps > length):
                stop = start + self.steps
                yield x[:, start:stop], y[:, start:stop].reshape(-1)
