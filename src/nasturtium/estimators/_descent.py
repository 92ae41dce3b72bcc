"""Gradient descent on all weights of a network as one vector: one kernel a step, not one a tensor."""

from __future__ import annotations

from contextlib import contextmanager
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nasturtium.estimators._recipes import Recipe


@final
class Descent:
    """Gradient descent by a recipe, with clipping and a moving average of the weights.

    Making it moves the network's parameters: they and their gradients become views of two vectors.
    A small network has dozens of tensors of a few numbers each, where starting a kernel costs more
    than what it computes.

    Args:
        network: On its device and in its memory format already.
        recipe: How to descend.

    Raises:
        UsageError: The parameters are of several types.

    Example:
        >>> from nasturtium.estimators._recipes import RECIPES
        >>> network = nn.Linear(2, 1)
        >>> descent = Descent(network, RECIPES["fast"])
        >>> descent.zero_grad()
        >>> network(torch.ones(1, 2)).sum().backward()
        >>> descent.gradient
        tensor([1., 1., 1.])
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self.recipe = recipe
        self.weights = _flattened(network)
        self.gradient = self.weights.grad
        self.average = self.weights.detach().clone() if recipe.average else None
        self.n_steps = 0
        self._optimizer = _optimizer(self.weights, recipe)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        assert self.gradient is not None
        self.gradient.zero_()

    def step(self, progress: float) -> None:
        """Descend once.

        Args:
            progress: The share of the schedule that is done.
        """
        assert self.gradient is not None
        if isfinite(self.recipe.clip):
            norm = torch.linalg.vector_norm(self.gradient)
            self.gradient.mul_((self.recipe.clip / (norm + 1e-6)).clamp_(max=1.0))
        self._optimizer.param_groups[0]["lr"] = self.recipe.rate(progress)
        self._optimizer.step()
        self.n_steps += 1
        if self.average is not None:
            # Early on, the mean of few steps: the initial weights are to be forgotten.
            decay = min(self.recipe.average, self.n_steps / (self.n_steps + 10))
            self.average.lerp_(self.weights.detach(), 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the network its averaged weights within a block, if there are any."""
        if self.average is None:
            yield
            return
        with torch.no_grad():
            last = self.weights.clone()
            self.weights.copy_(self.average)
            try:
                yield
            finally:
                self.weights.copy_(last)

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` needs to go on as if nothing had happened."""
        state = {
            "weights": self.weights.detach().clone(),  # the next step changes them in place
            "optimizer": self._optimizer.state_dict(),
            "n_steps": self.n_steps,
        }
        return state if self.average is None else {**state, "average": self.average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a descent by the same recipe on the same network."""
        with torch.no_grad():
            self.weights.copy_(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.n_steps = state["n_steps"]
        if self.average is not None:
            self.average.copy_(state["average"])


def _optimizer(weights: nn.Parameter, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "adam":
        return torch.optim.AdamW(
            [weights],
            lr=recipe.learning_rate,
            betas=(recipe.momentum, 0.999),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
    return torch.optim.SGD(
        [weights],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=True,
    )


def _flattened(network: nn.Module) -> nn.Parameter:
    """Return one vector of all weights, with its gradient; the parameters become views of both."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    kinds = {(p.dtype, p.device) for p in parameters}
    if len(kinds) > 1:
        raise UsageError(f"a network is trained in one type on one device, got {kinds}; convert it.")
    dtype, device = kinds.pop() if kinds else (torch.float32, torch.device("cpu"))
    weights = nn.Parameter(torch.empty(sum(p.numel() for p in parameters), dtype=dtype, device=device))
    weights.grad = torch.zeros_like(weights)
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        value = _view(weights.detach()[start:stop], parameter)
        value.copy_(parameter.detach())
        parameter.data = value
        parameter.grad = _view(weights.grad[start:stop], parameter)
        start = stop
    return weights


def _view(part: Tensor, like: Tensor) -> Tensor:
    """Return a part of a vector in a tensor's shape and memory format."""
    if like.dim() == 4 and like.is_contiguous(memory_format=torch.channels_last):
        out, inner, height, width = like.shape
        return part.view(out, height, width, inner).permute(0, 3, 1, 2)
    assert part.numel() == prod(like.shape), "a part has a parameter's size"
    return part.view(like.shape)
