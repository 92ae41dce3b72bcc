"""Recipes: named values that say how weights are learned, torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Gradient descent, and the schedule of its learning rate.

    The rate rises linearly over a first share of the schedule and falls to zero along a cosine.

    Args:
        learning_rate: Its peak.
        batch_size: Examples a step; of a text, places that are read side by side.
        optimizer: ``"sgd"``, stochastic gradient descent with momentum, or ``"adam"`` with decoupled
            weight decay.
        momentum: Of the gradient.
        nesterov: Whether the momentum is Nesterov's.
        weight_decay: On all parameters.
        warm: Share of the schedule over which the rate rises.
        clip: Greatest norm of the gradient; infinite means no limit.
        label_smoothing: Share of the target that all classes divide, where the task's loss is the
            cross entropy.
        augment_from: Shortest schedule, in epochs, that is trained with the task's augmentation;
            over fewer, it costs more accuracy than it gives.
        average: Decay a step of the moving average of the weights, by which the network is judged
            and which is kept; 0 means the last weights.
        reference: Where it comes from.
    """

    learning_rate: float
    batch_size: int
    optimizer: str = "sgd"
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    warm: float = 0.0
    clip: float = inf
    label_smoothing: float = 0.0
    augment_from: int = 1
    average: float = 0.0
    reference: str = ""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.optimizer not in ("sgd", "adam"):
            raise UsageError(f"an optimizer is 'sgd' or 'adam', got {self.optimizer!r}; choose one.")
        if self.batch_size < 1:
            raise UsageError(f"batch_size is at least 1, got {self.batch_size}; raise it.")
        if min(self.learning_rate, self.clip) <= 0:
            raise UsageError(f"learning_rate and clip are positive, got {self.learning_rate} and {self.clip}.")
        for name in ("momentum", "weight_decay", "warm", "label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} is in [0, 1), got {getattr(self, name)}; choose another.")

    def rate(self, progress: float) -> float:
        """Return the learning rate at a share of the schedule.

        Example:
            >>> recipe = RECIPES["fast"]
            >>> [round(recipe.rate(p), 3) for p in (0.1, 0.2, 0.6, 1.0)]
            [0.05, 0.1, 0.05, 0.0]
        """
        if progress < self.warm:
            return self.learning_rate * max(progress, 1e-3) / self.warm
        return self.learning_rate * 0.5 * (1 + cos(pi * (progress - self.warm) / (1 - self.warm)))


RECIPES: Mapping[str, Recipe] = {
    "fast": Recipe(
        learning_rate=0.1,
        batch_size=64,
        warm=0.2,
        clip=5.0,
        augment_from=6,
        reference="Smith & Topin 2017, arXiv 1708.07120 (one cycle)",
    ),
    "final": Recipe(
        learning_rate=0.1,
        batch_size=64,
        warm=0.2,
        clip=5.0,
        augment_from=6,
        average=0.999,
        reference="Smith & Topin 2017, arXiv 1708.07120; Polyak & Juditsky 1992 (averaging)",
    ),
    # Without its random crops of other sizes: the task says how images are augmented.
    "nasbench201": Recipe(
        learning_rate=0.1, batch_size=256, reference="Dong & Yang 2020, arXiv 2001.00326, section 2.2"
    ),
    # Without cutout, drop path and the auxiliary head, which belong to networks of its size.
    "darts": Recipe(
        learning_rate=0.025,
        batch_size=96,
        nesterov=False,
        weight_decay=3e-4,
        clip=5.0,
        reference="Liu, Simonyan & Yang 2019, arXiv 1806.09055, section 3.2",
    ),
    # Departure: a hundredth of the paper's steps, so Adam and averaged weights for plain and averaged descent.
    "text": Recipe(
        learning_rate=4e-3,
        batch_size=64,
        optimizer="adam",
        weight_decay=1e-5,
        warm=0.2,
        clip=1.0,
        reference="Merity, Keskar & Socher 2018, arXiv 1708.02182 (clipping, averaging); Loshchilov & Hutter 2019, "
        "arXiv 1711.05101 (AdamW)",
    ),
}
"""The recipes by name."""
