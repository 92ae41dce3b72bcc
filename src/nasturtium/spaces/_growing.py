"""Growing spaces: what all share whose architectures are made by mutations from a start."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from nasturtium.spaces._base import Binding, Networks, Space

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from nasturtium.graphs import Shape
    from nasturtium.spaces._architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class GrowingSpace(Space, Networks):
    """A space without decisions: a random architecture is a start after a random number of mutations.

    Args:
        steps: Greatest number of these mutations.
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.
    """

    steps: int
    input_shape: Shape | None = None
    n_outputs: int | None = None

    @abstractmethod
    def _first(self, rng: np.random.Generator) -> Architecture:
        """Return what a random architecture grows from; often the same whatever is drawn."""

    @final
    def on(self, task: Binding) -> Self:
        """Return the space with the task's shapes at both ends."""
        return replace(self, input_shape=tuple(task.input_shape), n_outputs=task.n_outputs)

    @final
    def _sample(self, rng: np.random.Generator) -> Architecture:
        """Return a start after 0 to ``steps`` mutations, each number equally likely."""
        architecture = self._first(rng)
        for _ in range(int(rng.integers(self.steps + 1))):
            architecture = self._mutate(architecture, rng)
        return architecture
