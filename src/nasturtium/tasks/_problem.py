"""The contract of a problem: a task without data, judged by what a network does.

A problem takes a data task's place where networks hold their weights already: in ``nas.search``, in
a study, on the command line. Nothing is trained, so nothing is split either; its test is another
part of the same world, such as other starting positions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.spaces import Architecture, Circuit, Genomes


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """What networks are to do. Immutable, and the same in every process.

    Class attributes:
        input_shape: Shape of what a network sees at a time.
        n_outputs: Numbers that it answers with.
        space: The text of the space to search by default.
        metrics: Names of what ``score`` tells; ``error`` is among them.
        n_test: Number of episodes in the test.

    Args:
        source: The text from which ``load_task`` makes the problem again.
    """

    source: str | None = None

    input_shape: ClassVar[tuple[int, ...]]
    n_outputs: ClassVar[int] = 1
    space: ClassVar[str] = "neurons"
    metrics: ClassVar[tuple[str, ...]] = ("error",)
    n_test: ClassVar[int] = 0
    name: ClassVar[str]

    @abstractmethod
    def score(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the metrics of a network; ``error`` is in [0, 1], and 0 once the problem is solved."""

    def test(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return ``test_error`` and what else the test tells; empty where there is no test."""
        del space, architecture
        return {}

    @property
    def content(self) -> str:
        """A hash of what the problem is."""
        return blake2b(repr(self).encode(), digest_size=8).hexdigest()

    def fit_part(self, kind: Literal["search", "final"]) -> Self:
        """Return the problem itself: there is no data to lock away."""
        del kind
        return self


def of_floats(space: Genomes, architecture: Architecture) -> tuple[Circuit, tuple[float, ...]]:
    """Return what computes a network of floats, and what stands behind a call's inputs: the bias, if any."""
    return space.circuit(architecture, math), (space.bias,) if space.bias else ()


def of_arrays(space: Genomes, architecture: Architecture, n: int) -> tuple[Circuit, tuple[Any, ...]]:
    """Return what computes a network of arrays of ``n`` numbers, and what stands behind a call's inputs."""
    return space.circuit(architecture, np), (np.full(n, space.bias),) if space.bias else ()
