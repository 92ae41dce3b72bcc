"""The goal of a language model: the next token."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch
from torch.nn import functional

from nasturtium.tasks._goals import Goal
from nasturtium.tasks._tally import TokenMean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor
    from typing_extensions import Self

    from nasturtium.tasks._goals import IntArray
    from nasturtium.tasks._pieces import Loss, Metric


@final
@dataclass(frozen=True)
class NextToken(Goal):
    """One of several tokens follows; token i has logit i.

    Args:
        tokens: How each is written.
    """

    tokens: tuple[str, ...]

    objective: ClassVar[str] = "valid_perplexity"

    @property
    def names(self) -> tuple[str, ...]:
        """How each token is written."""
        return self.tokens

    def strata(self, y: NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
        """Return one stratum: a part of a text is a piece of it."""
        return np.zeros(len(y), np.int64), ("all tokens",)

    def fitted(self, y: NDArray[Any], *, balanced: bool) -> Self:
        """Return the goal as it is."""
        del y, balanced
        return self

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the tokens' numbers."""
        return y

    @property
    def loss(self) -> Loss:
        """Cross entropy."""
        return functional.cross_entropy

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The share of tokens that are not the likeliest, and the perplexity."""
        return {"error": TokenMean(token_error), "perplexity": TokenMean(surprise, perplexity)}

    @property
    def facts(self) -> Mapping[str, Any]:
        """How each token is written."""
        return {"tokens": list(self.tokens)}

    @property
    def text(self) -> str:
        """The number of tokens."""
        return f"{len(self.tokens)} tokens"


def token_error(logits: Tensor, y: Tensor) -> Tensor:
    """Return 1 for each token that is not the likeliest, or whose logits are not finite; else 0."""
    return (logits.argmax(1) != y) | ~logits.isfinite().all(1)


def surprise(logits: Tensor, y: Tensor) -> Tensor:
    """Return each token's negative log-likelihood, in nats; infinity where the logits are not finite."""
    return functional.cross_entropy(logits, y, reduction="none").nan_to_num(torch.inf, torch.inf)


def perplexity(nats: float) -> float:
    """Return between how many equally likely tokens the model is undecided: the exponential of the mean surprise.

    Example:
        >>> uniform = torch.zeros(5, 12)
        >>> f"{perplexity(float(surprise(uniform, torch.arange(5)).mean())):.4g}"
        '12'
    """
    return exp(nats) if nats < 700 else float("inf")
